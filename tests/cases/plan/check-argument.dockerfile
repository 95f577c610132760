# check=skip=all
#: build-arg BUILDKIT_DOCKERFILE_CHECK=skip=FromAsCasing, NoSuch; error=1
# The build argument replaces the directive, and may have blanks.
FROM scratch as B
