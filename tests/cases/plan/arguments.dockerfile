# rule: scope.global, scope.arg, scope.later, scope.stage, argument.proxy
#: explain
# Scopes: global, stage, build argument, platform; the later of ARG and ENV wins for commands.
#: build-arg version=9
#: build-arg given=yes
#: build-arg unused=1
#: build-arg https_proxy=http://proxy
#: build-arg HTTP_PROXY=http://declared
#: platform linux/arm64
ARG version=3
ARG tag=v${version}
FROM --platform=$BUILDPLATFORM alpine:$tag AS tools
ARG TARGETARCH version
ARG own=${TARGETARCH}-$version empty unset=${nothing:-d}
RUN echo $own
ENV own=env
RUN echo $own
ARG own=again given
RUN echo $own
FROM alpine
RUN no arguments here
ARG HTTP_PROXY
RUN tag is ${tag}
COPY --from=tools / /
FROM tools
RUN inherits them
