# rule: stage.later
ARG TAG=UPPER:CASE NUMBER=9
FROM alpine
COPY --from=later /a /
COPY --from=nginx:$TAG /a /
COPY --from=$NUMBER /a /
FROM busybox AS later
#: target 0
