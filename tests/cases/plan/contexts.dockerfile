# rule: context.named
#: explain
# Named contexts replace an image, a stage, and a --from.
#: context alpine=debian:12
#: context files
#: context src
FROM alpine:latest AS base
RUN x
FROM nothing AS src
RUN is not run
FROM files AS all
RUN y
FROM base
COPY --from=files a /
COPY --from=src b /
COPY --from=all c /
