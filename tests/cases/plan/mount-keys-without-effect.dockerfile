# rule: mount.without-effect
FROM busybox AS other
FROM alpine
RUN --mount=target=/x,id=a x
RUN --mount=type=tmpfs,target=/x,from=other,source=/y,id=a x
RUN --mount=type=secret,id=a,rw --mount=type=ssh,from=other,readwrite=true x
# These say what is so already.
RUN --mount=type=secret,id=a,ro --mount=type=ssh,readonly --mount=type=tmpfs,target=/x,rw x
RUN --mount=type=cache,target=/x,source=/y --mount=target=/a,src=b,ro,dst=/c,rw,source=d x
