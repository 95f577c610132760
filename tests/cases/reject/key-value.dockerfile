FROM alpine
ENV =b
#~ 5-6 `ENV` with nothing before the `=`
ENV a=b c d=e
#~ 9-9 `c` has no `=`
#~ help: write `key=value`, with a value of several words in quotes
LABEL a="b c" "d e"
#~ 15-19 `"d e"` has no `=`
ARG a =b
#~ 7-8 `ARG` with nothing before the `=`
