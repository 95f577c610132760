# rule: stage.duplicate, stage.source, stage.index, more.from-case
# Names go to the last earlier stage, in any case; numbers are stages for COPY alone.
FROM a AS x
FROM b AS x
FROM c AS Later
COPY --from=X y /
COPY --from=0 y /
RUN --mount=from=0,target=/x y
FROM LATER
