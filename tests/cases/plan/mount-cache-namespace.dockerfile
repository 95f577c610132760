# rule: argument.cache-namespace, argument.buildkit
#: build-arg BUILDKIT_CACHE_MOUNT_NS=ns
#: build-arg BUILDKIT_INLINE_CACHE=1
FROM alpine
RUN --mount=type=cache,target=/x --mount=type=cache,target=/y,id=z cmd
