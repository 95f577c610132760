# rule: mount.type, mount.expanded
FROM alpine
ARG type=CACHE target=y
RUN --mount=target=/x a
RUN --mount=type=$type,target=/$target,ID=$target b
RUN --mount=type=Tmpfs,dst=/z c
