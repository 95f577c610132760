# names of one file
#: core
echo one > /var/tmp/one
ln /var/tmp/one /var/tmp/uno
echo more >> /var/tmp/uno
test "$(stat -c %h /var/tmp/one)" = 2
grep -q more /var/tmp/one
cp -al /usr/share/doc/bash /var/tmp/linked
