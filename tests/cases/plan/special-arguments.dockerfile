# rule: argument.hostname, argument.buildkit, argument.cache-namespace, argument.epoch
# Build arguments that the builder reads, and those that change nothing here.
#: build-arg BUILDKIT_SANDBOX_HOSTNAME=build.example
#: build-arg BUILDKIT_CACHE_MOUNT_NS=team
#: build-arg BUILDKIT_SYNTAX=docker/dockerfile:1
#: build-arg BUILDKIT_MULTI_PLATFORM=1
#: build-arg BUILDKIT_INLINE_CACHE=0
#: build-arg BUILDKIT_SBOM_SCAN_CONTEXT=true
#: build-arg BUILDKIT_ATTEST_PROVENANCE=mode=max
#: build-arg BUILDKIT_ATTEST_SBOM=disabled=true
#: build-arg BUILDKIT_UNKNOWN=1
#: build-arg SOURCE_DATE_EPOC=1
#: build-arg SOURCE_DATE_EPOCH=1700000000
ARG BUILDKIT_SBOM_SCAN_CONTEXT=false
ARG BUILDKIT_SBOM_SCAN_STAGE=true
FROM alpine
ARG BUILDKIT_SBOM_SCAN_CONTEXT BUILDKIT_SBOM_SCAN_STAGE=build,base OTHER=$BUILDKIT_SBOM_SCAN_STAGE
RUN --mount=type=cache,target=/c one
ARG SOURCE_DATE_EPOCH
RUN two
