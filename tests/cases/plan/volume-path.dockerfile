# rule: volume.path
FROM alpine
VOLUME /a /b relative
VOLUME ["/c d"]
