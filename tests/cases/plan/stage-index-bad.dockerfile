# rule: stage.index, stage.circle
#: target last
FROM alpine AS unneeded
COPY --from=7 /a /
COPY --from=-1 /a /
FROM scratch AS last
