# rule: mount.keys, mount.fields
FROM alpine
RUN --mount=type=bind,targt=/x,foo=1 true
#~ 23-30 unknown mount key `targt`
#~ help: write `target`
#~ 32-36 unknown mount key `foo`
RUN --mount=type=cache,target true
#~ 24-29 mount key `target` needs a value
#~ help: write `target=` and the value
RUN --mount=from=$s,target=/x true
#~ 18-19 `from` of a mount cannot hold a variable
#~ help: define a stage with `FROM` and the variable, and name that stage here
RUN --mount=type=bind,target=\"/x\" true
#~ 5-35 a quote in the value of `--mount` does not surround a field
#~ help: put the whole `key=value` in quotes, or none of it
RUN --mount= true
#~ 13-13 a field of `--mount` is empty
