# descriptors by number
exec 7</etc/passwd
ls /dev/fd/ | grep -x 7
readlink /proc/self/fd/7 | grep -x /etc/passwd
head -n 1 /dev/fd/7 | grep ^root
