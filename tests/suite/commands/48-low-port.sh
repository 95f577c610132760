# root listens on a port below 1024
#: core
#: prints listening
python3 - <<'X'
import socket
s = socket.socket()
s.bind(("127.0.0.1", 81))
s.listen()
print("listening")
X
