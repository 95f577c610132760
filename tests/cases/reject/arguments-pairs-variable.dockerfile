# rule: arguments.pairs
FROM alpine
ENV a=${b:-c d}
#~ 14-15 `d}` has no `=`
#~ help: put the whole value in double quotes: a `${…}` does not hold words together
LABEL "a b"=c d
#~ 15-15 `d` has no `=`
#~ help: write `key=value`, with a value of several words in quotes
