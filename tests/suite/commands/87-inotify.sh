# a directory is watched
#: prints seen
mkdir -p /var/tmp/watched
inotifywait -q -t 20 -e create /var/tmp/watched > /tmp/watch &
watcher=$!
for _ in $(seq 100); do touch "/var/tmp/watched/$RANDOM$RANDOM"; kill -0 $watcher 2>/dev/null || break; sleep 0.05; done
wait $watcher
grep -q CREATE /tmp/watch && echo seen
