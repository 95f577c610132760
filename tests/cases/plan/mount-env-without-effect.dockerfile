# rule: mount.secret-env
FROM alpine
RUN --mount=type=cache,target=/x,env=A x
