# rule: mount.keys
FROM alpine
RUN --mount=type=bind,targt=/x,foo=1 true
RUN --mount=type=cache,target true
RUN --mount=bind,target=/x true
RUN --mount=type=ssh,mode true
RUN --mount=target=/x, true
RUN --mount=type=cache,Target=/x,z,relabel=shared true
