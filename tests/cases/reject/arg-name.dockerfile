# rule: arg.name
FROM alpine
ARG
#~ 1-3 `ARG` needs at least one name
#~ help: write it as in `ARG NAME=default`
ARG a =b
#~ 7-8 `ARG` with nothing before the `=`
#~ help: put a name before the `=`
