# rule: stage.later, stage.source
FROM alpine
COPY --from=later /a /
RUN --mount=from=later,target=/x y
FROM busybox AS later
FROM scratch
COPY --from=0 / /
