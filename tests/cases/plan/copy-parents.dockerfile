# rule: copy.parents
FROM alpine
COPY --parents a/./b/c d/e ./f /p/
COPY a/./b /p/
