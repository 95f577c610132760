# ps and pgrep see the command's own processes
#: core
sleep 60 &
ps -ef
ps -o comm= -p $! | grep -x sleep
pgrep -x sleep
kill $!
