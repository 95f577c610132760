# rule: healthcheck.none, flags.dropped
FROM alpine
HEALTHCHECK CMD x
HEALTHCHECK --interval=1s none
