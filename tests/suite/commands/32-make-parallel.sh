# many compilers at once, a job server between them
#: prints done
mkdir -p /src/many && cd /src/many
for i in $(seq 24); do echo "int f$i(int x) { return x + $i; }" > "f$i.c"; done
{
    echo 'OBJECTS := $(patsubst %.c,%.o,$(wildcard f*.c))'
    echo 'all: libmany.a libmany.so'
    echo 'libmany.a: $(OBJECTS)'
    printf '\tar rcs $@ $^\n'
    echo 'libmany.so: $(OBJECTS)'
    printf '\t$(CC) -shared -o $@ $^\n'
    echo '%.o: %.c'
    printf '\t$(CC) -fPIC -c -o $@ $<\n'
} > Makefile
make -s -j 8
test "$(ar t libmany.a | wc -l)" = 24
echo done
