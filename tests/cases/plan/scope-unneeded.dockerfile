# rule: scope.expanded, stage.unneeded
FROM alpine AS unneeded
ENV a=${b?}
EXPOSE nonsense
FROM scratch
