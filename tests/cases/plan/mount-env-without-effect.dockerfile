# rule: mount.without-effect
FROM alpine
RUN --mount=type=cache,target=/x,env=A x
