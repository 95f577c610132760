# a large tree is copied and removed
cp -a /usr/lib/python3 /var/tmp/python3
test "$(find /usr/lib/python3 | wc -l)" = "$(find /var/tmp/python3 | wc -l)"
rm -rf /var/tmp/python3
