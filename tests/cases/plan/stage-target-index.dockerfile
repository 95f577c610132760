# rule: more.target-index
#: target 1
FROM alpine
FROM busybox
FROM debian
