# Arguments: an abstract socket that is none of this command's business, which is also tried with one
# of its own.
for my $file (
    "/proc/sys/kernel/panic", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname",
    "/proc/sys/vm/drop_caches", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/user/max_user_namespaces",
    "/proc/sysrq-trigger", "/proc/irq/default_smp_affinity",
    "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/power/state", "/sys/class/net/lo/mtu",
    "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/cgroup.kill", "/sys/fs/cgroup/cgroup.freeze",
    "/sys/module/kernel/parameters/panic", "/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/sda",
) {
    told($file, sysopen my $open, $file, 1);
}
for my $file ("/proc/kcore", "/proc/kmsg", "/proc/keys") {
    my $opened = open my $open, "<", $file;
    my $read = $opened && sysread $open, my $byte, 1;
    # What is hidden can be read, but is empty: as if it were not there.
    $! = 2 if $opened && !$read;
    told($file, $read);
}
my ($type, $name, $content) = ("user", "kaniko", "x");
call("a key", "add_key", $type, $name, $content, 1, -4);
call("the session's keys", "keyctl", 0, -3, 0, 0, 0);
call("the user's keys", "keyctl", 0, -4, 1, 0, 0);
call("a request for a key", "request_key", $type, $name, 0, 0);
my $empty = "";
call("a module", "init_module", $empty, 0, $empty);
call("a module from a file", "finit_module", 0, $empty, 0);
call("removal of a module", "delete_module", $name, 0);
call("another kernel", "kexec_load", 0, 0, 0, 0);
# Turns Ctrl-Alt-Del off: of what this call does, what hurts least.
call("reboot", "reboot", 0xfee1dead, 672274793, 0, 0);
my $swap = "/tmp";
call("swap", "swapon", $swap, 0);
call("no swap", "swapoff", $swap);
my $host = "attacked";
call("the host's name", "sethostname", $host, 8);
call("accounting", "acct", 0);
my $now = pack "qq", time, 0;
call("the clock", "clock_settime", 0, $now);
call("the kernel's log", "syslog", 5, 0, 0);
call("marks on files", "fanotify_init", 0, 0);
call("the terminal", "vhangup");

my $address = pack "Sxa*", 1, "kaniko-attack-own-$$";
socket my $listener, 1, 1, 0;
bind($listener, $address) && listen($listener, 1) or told("a socket of its own");
for (["own socket", $address], ["abstract socket", pack "Sxa*", 1, $ARGV[0]]) {
    socket my $socket, 1, 1, 0;
    told($_->[0], connect $socket, $_->[1]);
}
