# rule: flags.dropped
FROM alpine
STOPSIGNAL --x 9
ARG --y a=b
HEALTHCHECK --bogus NONE
