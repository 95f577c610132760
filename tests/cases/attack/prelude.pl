# What every attack begins with. `%nr` holds the numbers of system calls.
# An attack says what it tried and came of it: `done`, or the number of the error.
$| = 1;

sub told {
    my ($what, $done) = @_;
    print "$what: ", ($done ? "done" : $! + 0), "\n";
}

# A system call; it has done something if it returned no error.
sub call {
    my ($what, $name, @arguments) = @_;
    my $result = syscall($nr{$name}, @arguments);
    told($what, $result >= 0);
    return $result;
}

# Does something in a child process, so that what it changes is gone with that.
sub apart {
    my ($work) = @_;
    my $child = fork;
    if (!$child) {
        $work->();
        kill 9, $$;
    }
    waitpid $child, 0;
}

sub makedev {
    my ($major, $minor) = @_;
    return ($minor & 0xff) | (($major & 0xfff) << 8) | (($minor & ~0xff) << 12);
}
