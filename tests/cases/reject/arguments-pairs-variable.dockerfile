# rule: arguments.pairs
FROM alpine
ENV a=${b:-c d}
#~ 14-15 `d}` has no `=`
#~ help: write `key=value`, with a value of several words in quotes
LABEL "a b"=c d
#~ 15-15 `d` has no `=`
#~ help: write `key=value`, with a value of several words in quotes
