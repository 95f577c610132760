# rule: scope.default
ARG unused=${x?}
FROM alpine
