# rule: flags.name
FROM alpine
COPY --FROM=a x y
#~ 6-13 `COPY` has no flag `--FROM`
#~ help: write `--from`
