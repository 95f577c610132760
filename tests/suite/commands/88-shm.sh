# memory that has a name
echo x > /dev/shm/spot
test "$(stat -c %a /dev/shm)" = 1777
rm /dev/shm/spot
python3 -c 'import ctypes; l = ctypes.CDLL(None, use_errno=True); i = l.shmget(0, 4096, 0o1600); assert i >= 0; assert l.shmctl(i, 0, None) == 0'
