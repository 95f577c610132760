# rule: stage.later
FROM alpine
COPY --from=later /a /
COPY --from=nginx:$TAG /a /
FROM busybox AS later
#: target 0
