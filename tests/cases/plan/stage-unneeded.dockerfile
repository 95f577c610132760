# rule: stage.unneeded
FROM first AS a
FROM Not/A/Reference AS b
RUN --mount=type=nonsense x
FROM a
