# a file with a hole
truncate -s 1G /var/tmp/sparse
echo end >> /var/tmp/sparse
test "$(du -k /var/tmp/sparse | cut -f 1)" -lt 1024
test "$(tail -c 4 /var/tmp/sparse)" = end
rm /var/tmp/sparse
