# rule: scope.global
#: build-arg tag=given
ARG tag=3
ARG image=alpine:${tag}-$TARGETARCH
FROM --platform=${TARGETPLATFORM} $image AS base
FROM base
LABEL image=[$image] arch=[$TARGETARCH]
