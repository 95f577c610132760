# and the next finds nothing
test ! -e /dev/shm/left
