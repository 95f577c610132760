# Arguments: NAME=PID of processes that are none of this command's business. What is tried with them
# is first tried with a child, where it must work: else the attempt itself is wrong.
my $memory = "-" x 64;
my $address = unpack "J", pack "p", $memory;
my $child = fork;
if (!$child) {
    sleep 1000 while 1;
}

# Whether something can be read. Of a process that has ended everything can be opened, and is empty:
# that is as good as its not being there.
sub reads {
    my ($path, $at) = @_;
    open my $file, "<", $path or return 0;
    sysseek $file, $at, 0 if $at;
    my $count = sysread $file, my $byte, 1;
    $! = 3 if defined $count && !$count;
    return $count;
}

sub lists {
    opendir my $directory, $_[0] or return 0;
    my @names = grep !/^\./, readdir $directory;
    $! = 3 if !@names;
    return @names > 0;
}

# Older kernels say that it is wrong to ask for a thread in this way.
sub is_process {
    my $fd = syscall $nr{pidfd_open}, $_[0], 0;
    return $_[0] > 1 && ($fd >= 0 || $! != 22);
}

sub attack {
    my ($who, $pid) = @_;
    told("$who signal", kill 0, $pid);
    call("$who thread", "tkill", $pid, 0);
    my $info = pack("iii", 0, 0, -1) . "\0" x 116;
    call("$who queue", "rt_sigqueueinfo", $pid, 0, $info);
    call("$who trace", "ptrace", 0x4206, $pid, 0, 0);
    my $mine = "+" x 64;
    my $local = pack "pJ", $mine, 64;
    my $remote = pack "JJ", $address, 64;
    call("$who read", "process_vm_readv", $pid, $local, 1, $remote, 1, 0);
    call("$who write", "process_vm_writev", $pid, $local, 1, $remote, 1, 0);
    my $limits = "\0" x 16;
    call("$who limit", "prlimit64", $pid, 4, 0, $limits);
    my $fd = syscall $nr{pidfd_open}, $pid, 0;
    if ($fd < 0) {
        told("$who pidfd");
    } else {
        call("$who pidfd", "pidfd_send_signal", $fd, 0, 0, 0);
        call("$who descriptor", "pidfd_getfd", $fd, 0, 0);
    }
    return unless -d "/proc/self";
    for my $file ("environ", "maps", "auxv", "exe", "root/etc/passwd") {
        told("$who $file", reads("/proc/$pid/$file"));
    }
    # Nothing need be at this address: who hears that has got through.
    told("$who mem", reads("/proc/$pid/mem", $address) || $! == 5);
    told("$who ns/mnt", open my $open, "<", "/proc/$pid/ns/mnt");
    # The numbers of its descriptors are no secret, but what they are.
    told("$who fd", readlink "/proc/$pid/fd/0");
    for my $directory ("map_files", "root/", "cwd/") {
        told("$who $directory", lists("/proc/$pid/$directory"));
    }
}

attack("own", $child);
my $parent = getppid;
attack("init", $parent);
# The helper was started just before it.
attack("helper", $_) for grep { is_process($_) } $parent - 3 .. $parent - 1;
attack(split /=/) for @ARGV;
kill 9, $child;
