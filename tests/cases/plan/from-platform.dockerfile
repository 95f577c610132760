# rule: from.platform, stage.platform
#: platform linux/arm64
FROM --platform=$BUILDPLATFORM alpine AS native
FROM --platform=linux/arm/v7 alpine AS other
FROM --platform=linux/riscv64 native AS same-as-native
FROM scratch
COPY --from=same-as-native / /
COPY --from=other / /
COPY --from=busybox / /
