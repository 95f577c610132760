# trees in archives, with their owners
mkdir -p /var/tmp/tree/a/b
echo x > /var/tmp/tree/a/b/x
chown -R 33:33 /var/tmp/tree
tar --xattrs --acls -cJpf /var/tmp/tree.tar.xz -C /var/tmp tree
mkdir /var/tmp/again
tar --xattrs --acls --numeric-owner -xJpf /var/tmp/tree.tar.xz -C /var/tmp/again
test "$(stat -c %u:%g /var/tmp/again/tree/a/b/x)" = 33:33
(cd /var/tmp && find tree | cpio --quiet -o -H newc > tree.cpio && mkdir cpio && cd cpio && cpio --quiet -idm < ../tree.cpio)
(cd /var/tmp && zip -q -r tree.zip tree && unzip -q tree.zip -d unzipped)
cmp /var/tmp/unzipped/tree/a/b/x /var/tmp/cpio/tree/a/b/x
