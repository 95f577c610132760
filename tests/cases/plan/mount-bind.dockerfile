# rule: mount.bind, mount.from
FROM busybox AS tools
FROM alpine
RUN --mount=target=/a --mount=target=/b,source=sub/../dir,rw --mount=target=/c,rw=false x
RUN --mount=target=/d,from=TOOLS,src=/bin --mount=target=/e,from=nginx:1 --mount=target=/f,from=0 x
RUN --mount=target=/g,from=scratch --mount=target=/h,from= x
