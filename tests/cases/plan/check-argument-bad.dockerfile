#: build-arg BUILDKIT_DOCKERFILE_CHECK=skip
FROM scratch as B
