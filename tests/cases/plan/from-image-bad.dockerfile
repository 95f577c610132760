# rule: from.image
FROM Alpine:3
FROM alpine:
FROM scratch
COPY --from=0 / /
COPY --from=1 / /
