# the streams of a process by name
#: core
#: prints to stdout
#: prints to stderr
#: prints from stdin
echo to stdout > /dev/stdout
echo to stderr > /dev/stderr
echo from stdin | cat /dev/stdin
echo by number | cat /dev/fd/0 > /dev/null
