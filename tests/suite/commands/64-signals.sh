# processes signal one another
#: core
#: prints terminated
sh -c 'trap "echo terminated; exit 0" TERM; kill -TERM $$; sleep 5'
sleep 100 & kill -9 $! && ! wait $! 2>/dev/null
sleep 100 & sleep 100 &
for _ in $(seq 100); do test "$(pgrep -xc sleep)" -lt 2 || break; done
killall sleep
