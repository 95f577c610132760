# two processes and a pipe with a name
#: prints through a pipe
mkfifo /tmp/pipe
echo through a pipe > /tmp/pipe &
cat < /tmp/pipe
wait
