# a socket with a name
#: leaves /srv/socket
#: prints answered
python3 - <<'X'
import os, socket, threading
server = socket.socket(socket.AF_UNIX)
server.bind("/srv/socket")
server.listen()
def serve():
    connection, _ = server.accept()
    connection.sendall(b"answered")
threading.Thread(target=serve).start()
client = socket.socket(socket.AF_UNIX)
client.connect("/srv/socket")
print(client.recv(20).decode())
X
