# rule: more.relabel
FROM alpine
RUN --mount=type=bind,target=/x,z --mount=target=/y,Z --mount=target=/z,relabel=shared true
