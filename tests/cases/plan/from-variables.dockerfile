# rule: more.from-variables
#: explain
# The variables of a `--from` and of a mount's `from` are those of a `FROM`.
#: build-arg STAGE=Tools
#: build-arg TAG=1.29
ARG STAGE=none TAG REGISTRY=registry.example.com NUMBER=0
FROM base AS first
FROM busybox AS tools
FROM nothing AS unneeded
COPY --from=$UNSET a /
COPY --from=${NUMBER}9 a /
RUN --mount=from=${UNSET:?needed},target=/x y
FROM alpine AS last
ARG STAGE=own
COPY --from=$STAGE a /
COPY --from=$NUMBER a /
COPY --from=${REGISTRY}/nginx:$TAG a /
COPY --from=${MISSING:-first} a /
COPY --from=$BUILDOS-$TARGETARCH a /
RUN --mount=from=$STAGE,target=/x --mount=from="${REGISTRY}/x",target=/y z
ONBUILD COPY --from=$STAGE b /
FROM last
