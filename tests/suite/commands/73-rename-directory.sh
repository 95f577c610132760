# directories of the base are renamed
mv /usr/share/man /usr/share/man.moved
mv /usr/share/man.moved /usr/share/man
test -d /usr/share/man
