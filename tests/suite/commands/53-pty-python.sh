# a terminal by openpty
#: prints inside
python3 - <<'X'
import os, pty
master, slave = pty.openpty()
print(os.ttyname(slave)[:5] == "/dev/" and "inside")
os.write(slave, b"x\n")
assert os.read(master, 10) == b"x\r\n"
X
