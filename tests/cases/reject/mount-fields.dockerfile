# rule: mount.fields
FROM alpine
RUN --mount=type=bind,target=\"/x\" true
#~ 5-35 a quote in the value of `--mount` does not surround a field
#~ help: put the whole `key=value` in quotes, or none of it
RUN --mount=\"target=/x true
#~ 5-23 a quote in the value of `--mount` does not surround a field
#~ help: put the whole `key=value` in quotes, or none of it
RUN --mount= true
#~ 5-12 `--mount` has no value
#~ help: write `--mount=type=bind,source=PATH,target=PATH`
