# Argument: a word that its processes can be found by. Leaves processes of every kind.
my $word = shift;
$0 = $word;

sub leave {
    my ($work) = @_;
    return if fork;
    syscall $nr{setsid};
    $SIG{$_} = "IGNORE" for "TERM", "HUP", "INT", "QUIT";
    # Orphaned, in a session of its own.
    exit if fork;
    $work->();
    exit;
}

leave(sub { sleep 1000 while 1 }) for 1 .. 4;
# Stopped.
leave(sub { kill 19, $$; sleep 1000 while 1 });
# Another user.
leave(sub { $< = $> = 101; sleep 1000 while 1 });
# In a group with nobody else, waiting for children that ignore everything.
leave(sub { setpgrp; if (!fork) { sleep 1000 while 1 } wait });
# Where nobody looks.
leave(sub { chdir "/tmp"; close STDIN; close STDOUT; close STDERR; sleep 1000 while 1 });
# Never there when someone looks: each lives until its child does.
# If nobody catches them they end by themselves, so that a failed test ends too; and they are no more
# than the machine has numbers for, should nobody wait for them in time.
leave(sub { while (time < $^T + 20) { exit if fork; select undef, undef, undef, 0.005 } }) for 1 .. 4;
print "left\n";
