# a server that makes itself a daemon
#: prints PONG
redis-server --daemonize yes --port 6390 --dir /tmp --save '' >/dev/null
for _ in $(seq 100); do (: < /dev/tcp/127.0.0.1/6390) 2>/dev/null && break; sleep 0.1; done
redis-cli -p 6390 ping
