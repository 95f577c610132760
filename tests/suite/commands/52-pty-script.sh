# a terminal by script
#: core
#: prints a terminal
script -q -e -c 'test -t 0 && echo a terminal > /tmp/terminal && echo by name > /dev/tty' /tmp/typescript > /dev/null < /dev/null
cat /tmp/terminal
grep -q 'by name' /tmp/typescript
# Who has none cannot open it.
! (exec 3<> /dev/tty) 2> /dev/null
