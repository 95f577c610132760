# rule: stage.scratch
FROM scratch
COPY --from=scratch / /
RUN --mount=from=scratch,target=/empty x
