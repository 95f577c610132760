# rule: stage.from, stage.duplicate
FROM a AS x
FROM x AS from-a
FROM b AS x
FROM x AS from-b
FROM later
COPY --from=from-a / /
COPY --from=from-b / /
FROM c AS later
FROM 4
COPY --from=4 / /
