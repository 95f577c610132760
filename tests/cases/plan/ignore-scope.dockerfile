# rule: ignore.scope
#: ignore target
#: context files
FROM alpine
COPY a /
COPY --from=files a /
