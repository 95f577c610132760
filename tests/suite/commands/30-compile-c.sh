# a program in C
#: core
#: prints compiled
#: leaves /usr/local/bin/hello
mkdir -p /src/c && cd /src/c
printf '#include <stdio.h>\nint main(void) { puts("compiled"); return 0; }\n' > hello.c
gcc -O2 -Wall -o hello hello.c
install -m 755 hello /usr/local/bin/hello
hello
