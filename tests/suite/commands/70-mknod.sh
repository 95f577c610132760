# device nodes
#: core
#: leaves /srv/null
mknod /srv/null c 1 3
mknod /srv/pipe p
test -c /srv/null && test -p /srv/pipe
