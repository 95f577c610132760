# rule: mount.values
FROM alpine
RUN --mount=type=bind,target=/x,rw=yes a
RUN --mount=type=bind,target=/x,ro= a
RUN --mount=type=cache,target=/x,mode=u+x a
RUN --mount=type=cache,target=/x,mode=0888 a
RUN --mount=type=cache,target=/x,uid=-1 a
RUN --mount=type=cache,target=/x,gid=staff a
RUN --mount=type=tmpfs,target=/x,size=1x a
RUN --mount=type=cache,target=/x,sharing=lock a
RUN --mount=type=cache,target=/x,sharing=some a
RUN --mount=type=cache,target=/x,uid=4294967295 true
