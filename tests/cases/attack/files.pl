# Arguments: a file that is none of this command's business, and its directory.
my ($secret, $store) = @ARGV;
my $up = "../" x 64;

# Through what was left open; Perl has its script open, which is a file.
for my $fd (3 .. 255) {
    next if syscall($nr{fcntl}, $fd, 1, 0) < 0;
    told("a directory left open", stat("/dev/fd/$fd/.")) if -d "/dev/fd/$fd";
}

sub look {
    my ($what) = @_;
    told("$what: read", open my $open, "<", $secret);
    told("$what: read upwards", open my $open, "<", "$up$secret");
    told("$what: write", open my $open, ">", "$store/written");
    told("$what: make a directory", mkdir "$store/made");
    rmdir "$store/made";
    told("$what: remove", unlink $secret);
    told("$what: mode", chmod 0777, $secret);
    told("$what: owner", chown 1, 1, $secret);
    told("$what: rename", rename $secret, "/tmp/renamed");
    told("$what: link", link $secret, "/tmp/linked");
    symlink $secret, "/tmp/symbolic";
    told("$what: follow", open my $open, "<", "/tmp/symbolic");
    unlink "/tmp/symbolic";
}

look("as it is");
mkdir "/tmp/cage";
apart(sub {
    opendir my $above, "/";
    chroot "/tmp/cage";
    chdir $above;
    chdir ".." for 1 .. 64;
    chroot ".";
    look("by a second root");
});

# Through other processes.
my $found = 0;
opendir my $processes, "/proc";
for my $process (map { "/proc/$_" } grep /^\d/, readdir $processes) {
    for my $file ("root", "cwd", map { "fd/$_" } 0 .. 15) {
        for my $path ("$process/$file/$secret", "$process/$file/$up$secret") {
            $found ||= open my $open, "<", $path;
        }
    }
}
# Without a /proc it has not even been tried.
told("through a process", $found) if -d "/proc/self";
# Through devices of the machine: a loop device stands for all disks.
for my $where ("/tmp", "/dev", "/dev/shm", "/cache") {
    next unless -d $where;
    for my $kind (["block", 0060000, 7, 0], ["log", 0020000, 1, 11]) {
        my ($name, $type, @number) = @$kind;
        my $path = "$where/$name";
        my $made = syscall $nr{mknodat}, -100, $path, $type | 0600, makedev(@number);
        my $done = $made >= 0 && open my $open, "<", $path;
        told("$name device in $where", $done);
        unlink $path;
    }
}
my $handle = pack("Ii", 8, 1) . pack("II", 2, 0) . "\0" x 120;
opendir my $root, "/";
call("by number", "open_by_handle_at", fileno($root), $handle, 0);
# That is the top of many file systems, but not of all. What is here certainly has a number.
my ($top, $mount) = ("/", pack "i", 0);
$handle = pack("Ii", 120, 0) . "\0" x 120;
syscall $nr{name_to_handle_at}, -100, $top, $handle, $mount, 0;
call("by its own number", "open_by_handle_at", fileno($root), $handle, 0);

# With mounts and namespaces.
sub mounts {
    my ($what) = @_;
    my ($cage, $none, $tmpfs) = ("/tmp/cage", "none", "tmpfs");
    for my $kind ("proc", "sysfs", "cgroup2") {
        my $type = $kind;
        call("$what: $type", "mount", $none, $cage, $type, 0, 0);
    }
    call("$what: tmpfs", "mount", $none, $cage, $tmpfs, 0, 0);
    my ($source, $sys, $proc) = ("/", "/sys", "/proc");
    call("$what: bind", "mount", $source, $cage, $none, 4096, 0);
    call("$what: remount", "mount", $none, $sys, $none, 4096 | 32, 0) if -d $sys;
    for my $mounted ("/proc/sys", "/proc", "/sys", "/dev", "/") {
        my $path = $mounted;
        call("$what: unmount $path", "umount2", $path, 2);
    }
    call("$what: new file system", "fsopen", $tmpfs, 0);
    call("$what: clone", "open_tree", -100, $source, 1);
    call("$what: pivot", "pivot_root", $cage, $cage);
}
my ($user, $others) = (0x10000000, 0x2e020000);
for my $flags (0x20000, 0x20000000, 0x02000000, $user, $user | $others) {
    apart(sub { call(sprintf("unshare %x", $flags), "unshare", $flags) });
}
apart(sub {
    return if syscall($nr{unshare}, $user | $others) < 0;
    apart(sub { mounts("as another root"); look("as another root") });
});
my $clone = pack "QQQQQQQQ", $user, 0, 0, 0, 17, 0, 0, 0;
my $cloned = syscall $nr{clone3}, $clone, 64;
exit if $cloned == 0;
told("clone3", $cloned > 0);
mounts("mounts");
rmdir "/tmp/cage";
