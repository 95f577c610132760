# the usual devices
#: core
echo lost > /dev/null
head -c 8 /dev/zero | cmp - <(printf '\0\0\0\0\0\0\0\0')
test "$(head -c 16 /dev/urandom | wc -c)" = 16
test "$(head -c 16 /dev/random | wc -c)" = 16
! echo x 2>/dev/null > /dev/full
