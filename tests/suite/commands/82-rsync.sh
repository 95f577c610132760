# a tree is mirrored with everything
rsync -aHAX /etc/ /var/tmp/etc/
rsync -aHAXn --itemize-changes /etc/ /var/tmp/etc/ | { ! grep -v -e '^\.d..t' -e resolv.conf -e hosts -e hostname; }
