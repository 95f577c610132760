# a daemon is started, found and stopped
start-stop-daemon --start --background --make-pidfile --pidfile /run/spot.pid --exec /bin/sleep -- 300
for _ in $(seq 100); do test -s /run/spot.pid && break; sleep 0.1; done
start-stop-daemon --status --pidfile /run/spot.pid --exec /bin/sleep
start-stop-daemon --stop --retry 5 --pidfile /run/spot.pid --exec /bin/sleep
