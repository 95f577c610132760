# rule: stage.target
#: target TEST
#: label org.opencontainers.image.title=demo
FROM alpine AS base
RUN one
FROM base AS test
RUN two
FROM base
RUN three
