# rule: mount.fields
FROM alpine
RUN --mount=type=bind,target=\"/x\" true
#~ 5-35 a quote in the value of `--mount` does not surround a field
#~ help: put the whole `key=value` in quotes, or none of it
RUN --mount=\"target=/x true
#~ 5-23 a quote in the value of `--mount` does not surround a field
#~ help: put the whole `key=value` in quotes, or none of it
RUN --mount= true
#~ 13-13 a field of `--mount` is empty
RUN --mount=target=/x, true
#~ 23-23 a field of `--mount` is empty
