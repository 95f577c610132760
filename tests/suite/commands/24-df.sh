# what is mounted
#: core
df /
df -h / | tail -n 1
mount > /dev/null
findmnt / > /dev/null
