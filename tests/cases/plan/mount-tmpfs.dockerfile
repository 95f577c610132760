# rule: mount.tmpfs
FROM alpine
RUN --mount=type=tmpfs,target=/a --mount=type=tmpfs,target=/b,size=64 --mount=type=tmpfs,target=/c,size=1.5G x
RUN --mount=type=tmpfs,target=/d,size=10MiB --mount=type=tmpfs,target=/e,size=0 x
RUN --mount=type=tmpfs,target=/f,ro,size=.5k x
