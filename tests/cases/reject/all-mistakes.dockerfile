# rule: more.all-mistakes
FROM alpine AS Build_2!
#~ 16-23 bad stage name `Build_2!`
#~ help: begin it with a letter, and use letters, digits, `-`, `_` and `.`
RNU make
#~ 1-3 unknown instruction `RNU`
#~ help: write `RUN`
COPY a
#~ 1-6 `COPY` needs a source and a destination
#~ help: write what to copy, then where to, as in `COPY file /path/`
RUN --moutn=type=cache,target=/x make
#~ 5-32 `RUN` has no flag `--moutn`
#~ help: write `--mount`
ENV
#~ 1-3 `ENV` needs at least one `key=value`
#~ help: write it as in `ENV name=value`
FROM alpine AS build
HEALTHCHECK --interval=5 --retries=x CMD y
#~ 24-24 bad time `5` of flag `--interval`
#~ help: write a number and a unit, such as `30s` or `1m30s`
#~ 36-36 bad number `x` of flag `--retries`
#~ help: write a whole number, 0 or more
