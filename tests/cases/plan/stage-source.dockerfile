# rule: stage.source, stage.index
FROM a AS x
FROM b AS Later
COPY --from=X y /
COPY --from=0 y /
FROM scratch
COPY --from=LATER / /
COPY --from=x / /
RUN --mount=from=lATER,target=/x y
