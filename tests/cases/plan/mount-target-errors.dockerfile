# rule: mount.target
FROM alpine
RUN --mount=type=bind x
RUN --mount=type=cache,target= x
RUN --mount=type=tmpfs,target=/ x
RUN --mount=type=bind,target=/a/.. x
WORKDIR /
RUN --mount=type=bind,target=. x
