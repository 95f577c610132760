# rule: arguments.pairs, env.key
FROM alpine
ENV =b
#~ 5-6 `ENV` with nothing before the `=`
#~ help: put a name before the `=`
ENV a=b c d=e
#~ 9-9 `c` has no `=`
#~ help: write `key=value`, with a value of several words in quotes
LABEL a="b c" "d e"
#~ 15-19 `"d e"` has no `=`
#~ help: write `key=value`, with a value of several words in quotes
LABEL a
#~ 1-7 `LABEL` needs a value for `a`
#~ help: write `key=value`; the value may be empty
ENV
#~ 1-3 `ENV` needs at least one `key=value`
#~ help: write it as in `ENV name=value`
