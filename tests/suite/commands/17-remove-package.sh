# a package is removed, its files and directories with it
test -e /usr/bin/file
apt-get -q -y purge file
test ! -e /usr/bin/file
test ! -e /usr/share/doc/file
