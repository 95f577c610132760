# names of the machine
test -n "$(hostname)"
test -n "$(uname -n)"
grep -q localhost /etc/hosts
test -r /etc/resolv.conf
