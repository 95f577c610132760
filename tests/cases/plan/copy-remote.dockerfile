# rule: copy.remote
FROM alpine
ARG file=https://example.com/a repository=git@example.com:o/r
COPY $file /x
COPY $repository /x
