# they are still one file in the next step
#: core
test "$(stat -c %i /var/tmp/one)" = "$(stat -c %i /var/tmp/uno)"
test "$(stat -c %h /var/tmp/one)" = 2
