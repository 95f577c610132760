# owners by number
#: core
touch /tmp/owned
chown 1234:5678 /tmp/owned
test "$(stat -c %u:%g /tmp/owned)" = 1234:5678
chown 65534:65534 /tmp/owned
test "$(stat -c %u:%g /tmp/owned)" = 65534:65534
