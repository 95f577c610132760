# temporary files
file=$(mktemp)
test "$(stat -c %a "$file")" = 600
test "$(stat -c %a /tmp)" = 1777
directory=$(mktemp -d)
rm -r "$file" "$directory"
