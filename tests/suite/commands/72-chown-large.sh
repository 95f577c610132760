# owners with large numbers
touch /tmp/large
chown 1000000000:2000000000 /tmp/large
test "$(stat -c %u:%g /tmp/large)" = 1000000000:2000000000
