# rule: mount.keys-of-type, mount.sharing, mount.ssh
FROM alpine
RUN --mount=type=secret,id=a,source=b x
RUN --mount=type=secret,id=a,from=b x
RUN --mount=type=secret,id=a,sharing=shared x
RUN --mount=type=secret x
RUN --mount=type=tmpfs,target=/x,mode=1 x
RUN --mount=type=bind,target=/x,uid=1 x
RUN --mount=type=ssh,source=a x
