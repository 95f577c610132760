# rule: arguments.words
FROM	alpine   as   base
EXPOSE 90 80/tcp "100 200" $p
