# a library is found by ldconfig
#: prints 43
mkdir -p /src/library && cd /src/library
echo 'int answer(void) { return 43; }' > answer.c
printf '#include <stdio.h>\nint answer(void);\nint main(void) { printf("%%d\\n", answer()); }\n' > ask.c
gcc -shared -fPIC -Wl,-soname,libanswer.so.1 -o libanswer.so.1 answer.c
install -D libanswer.so.1 /opt/answer/lib/libanswer.so.1
echo /opt/answer/lib > /etc/ld.so.conf.d/answer.conf
ldconfig
grep -q libanswer.so.1 <<< "$(ldconfig -p)"
gcc -o ask ask.c /opt/answer/lib/libanswer.so.1
./ask
