# rule: scope.build-arg
#: build-arg other=1
#: build-arg known=2
FROM alpine
ARG known
