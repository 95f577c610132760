# rule: context.named
#: context alpine=debian:12
#: context files
#: context stage=busybox
FROM alpine:latest AS base
FROM nothing AS stage
RUN is not run
FROM base
COPY --from=files a /
COPY --from=stage b /
RUN --mount=from=alpine,target=/x c
