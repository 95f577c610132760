# a terminal by script
#: core
#: prints a terminal
script -q -e -c 'test -t 0 && echo a terminal > /tmp/terminal' /dev/null > /dev/null < /dev/null
cat /tmp/terminal
