#: platform linux/arm64
#: image alpine {"os": "linux", "architecture": "amd64", "config": {}}
#: image debian {"os": "linux", "architecture": "arm64", "config": {}}
# The image is not for the platform that was asked for.
FROM alpine AS tools
# These are built for a platform of their own choice.
FROM --platform=linux/arm64 debian AS base
FROM --platform=linux/arm64 debian AS base-arm64
# A stage keeps its platform.
FROM --platform=$BUILDPLATFORM base AS copy
COPY --from=tools /a /
COPY --from=base-arm64 /b /
FROM --platform=linux/arm64 copy AS arm64
