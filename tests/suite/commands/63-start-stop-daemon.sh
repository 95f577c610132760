# a daemon is started, found and stopped
start-stop-daemon --start --background --make-pidfile --pidfile /run/spot.pid --exec /bin/sleep -- 300
running() { start-stop-daemon --status --pidfile /run/spot.pid --exec /bin/sleep; }
for _ in $(seq 100); do running && break; sleep 0.1; done
running
start-stop-daemon --stop --retry 5 --pidfile /run/spot.pid --exec /bin/sleep
