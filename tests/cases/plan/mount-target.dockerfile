# rule: mount.target
FROM alpine
WORKDIR /w
RUN --mount=target=a --mount=dst=./b/../c --mount=destination=/d/ x
RUN --mount=type=cache,id=here x
