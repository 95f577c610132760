# a program finds a library beside itself
#: prints beside
mkdir -p /opt/beside && cd /opt/beside
echo 'const char *word(void) { return "beside"; }' > word.c
printf '#include <stdio.h>\nconst char *word(void);\nint main(void) { puts(word()); }\n' > say.c
gcc -shared -fPIC -o libword.so word.c
gcc -o say say.c -L. -lword '-Wl,-rpath,$ORIGIN'
cd / && /opt/beside/say
