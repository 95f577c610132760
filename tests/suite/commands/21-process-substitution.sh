# bash's files that are pipes
#: core
#: prints a
diff <(printf 'a\nb\n') <(printf 'a\nb\n')
cat <(echo a)
