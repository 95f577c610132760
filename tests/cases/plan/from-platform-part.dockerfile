# rule: from.platform, stage.platform
FROM --platform=arm64 alpine AS a
FROM --platform=windows alpine AS b
FROM --platform=linux/arm64 scratch
COPY --from=a / /
COPY --from=b / /
