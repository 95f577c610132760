# a program whose file says who it runs as
#: core
#: prints 0
mkdir -p /src/setuid && cd /src/setuid
printf '#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf("%%d\\n", geteuid()); }\n' > who.c
gcc -o /usr/local/bin/who-am-i who.c
chmod 4755 /usr/local/bin/who-am-i
su ann -c who-am-i
