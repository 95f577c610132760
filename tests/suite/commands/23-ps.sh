# ps and pgrep see the command's own processes
#: core
sleep 60 &
ps -ef
# It has its name when it has begun.
for _ in $(seq 100); do ps -o comm= -p $! | grep -qx sleep && break; sleep 0.1; done
ps -o comm= -p $! | grep -x sleep
pgrep -x sleep
kill $!
