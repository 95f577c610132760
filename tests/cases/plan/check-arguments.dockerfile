#: build-arg TAG=3
#: image alpine:3 {"os":"linux","architecture":"amd64"}
#: image alpine {"os":"linux","architecture":"amd64"}
# What FROM sees. A build argument does not make a default good.
ARG TAG
ARG BASE=alpine
FROM --platform=$TARGETPLATFORM ${BASE}:${TAG} AS a
FROM ${BSAE:-alpine} AS b
ARG LATE=1
FROM ${LATE:-alpine}:${TAG:-1} AS c
FROM ${BASE}
