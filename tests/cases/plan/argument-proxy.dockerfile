# rule: argument.proxy
#: build-arg HTTP_PROXY=http://a
#: build-arg no_proxy=b
FROM alpine
RUN first
ARG HTTP_PROXY
RUN second
