# users by Debian's scripts
adduser --system --group --home /var/lib/daemon daemonlike
adduser --disabled-password --gecos '' --uid 2002 ben
addgroup staff2
adduser ben staff2
test "$(stat -c %U /var/lib/daemon)" = daemonlike
deluser --remove-home ben
test ! -e /home/ben
