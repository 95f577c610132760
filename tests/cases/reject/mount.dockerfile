FROM alpine
RUN --mount=type=bind,targt=/x,foo=1 true
#~ 23-30 unknown mount key `targt`
#~ help: write `target`
#~ 32-36 unknown mount key `foo`
RUN --mount=type=cache,target true
#~ 24-29 mount key `target` needs a value
#~ help: write `target=` and the value
RUN --mount=type=bind,target=\"/x\" true
#~ 5-35 a quote in the value of `--mount` does not surround a field
RUN --mount= true
#~ 13-13 a field of `--mount` is empty
