# device nodes
mknod /tmp/null c 1 3
echo x > /tmp/null
mknod /tmp/pipe-by-mknod p
test -c /tmp/null && test -p /tmp/pipe-by-mknod
rm /tmp/null
