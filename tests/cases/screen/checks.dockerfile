#: plan --build-arg BUILDKIT_DOCKERFILE_CHECK=error=true
#: plan --build-arg BUILDKIT_DOCKERFILE_CHECK=error=true;skip=ConsistentInstructionCasing,JSONArgsRecommended,UndefinedVar
#: plan --build-arg BUILDKIT_DOCKERFILE_CHECK=eror=true
#: build --no-push --kaniko-dir @work --build-arg BUILDKIT_DOCKERFILE_CHECK=skip=ConsistentInstructionCasing
FROM scratch
LABEL from=$nothing
# check=skip=JSONArgsRecommended
CMD sh -c "$CHOSEN"
healthcheck CMD true \

    || exit 1
ENTRYPOINT tini
