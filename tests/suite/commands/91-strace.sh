# a process follows another
#: prints execve
strace -f -o /tmp/trace sh -c 'true; /bin/true'
grep -o -m 1 execve /tmp/trace
