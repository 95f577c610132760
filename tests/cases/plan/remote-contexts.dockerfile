# rule: context.kinds, context.named
#: explain
# Contexts from elsewhere: as a base, as a stage, as a `--from`, as a mount.
#: context repository=https://example.com/r.git#main:sub
#: context secure=git@example.com:o/r.git?commit=0123456
#: context archive=https://example.com/files.tar.gz?signature=1
#: context empty=scratch
#: context replaced=http://example.com/other.tar
FROM repository AS sources
RUN x
FROM image AS replaced
RUN is not run
FROM archive
COPY --from=repository a /
COPY --from=secure b /
COPY --from=archive c /
COPY --from=replaced d /
COPY --from=empty / /
COPY --from=sources e /
RUN --mount=from=archive,target=/x y
FROM archive
COPY --from=2 / /
