# rule: mount.keys
FROM alpine
RUN --mount=type=bind,targt=/x,foo=1 true
#~ 23-30 unknown mount key `targt`
#~ help: write `target`
#~ 32-36 unknown mount key `foo`
RUN --mount=type=cache,target true
#~ 24-29 mount key `target` needs a value
#~ help: write `target=` and the value
RUN --mount=bind,target=/x true
#~ 13-16 unknown mount key `bind`
RUN --mount=type=ssh,mode true
#~ 22-25 mount key `mode` needs a value
#~ help: write `mode=` and the value
