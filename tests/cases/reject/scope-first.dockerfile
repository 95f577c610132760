# rule: scope.first
ARG fine=1
RUN --bad too early
#~ 1-3 `RUN` before the first `FROM`
#~ help: move it behind a `FROM`; only `ARG` may stand before the first one
#~ 5-9 `RUN` has no flag `--bad`
#~ help: use one that `RUN` has: `--device`, `--mount`, `--network`, `--security`
COPY also too early
FROM alpine
