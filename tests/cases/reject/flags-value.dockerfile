# rule: flags.value
FROM alpine
COPY --from x y
#~ 6-11 flag `--from` needs a value
#~ help: write `--from=` and the value, without a blank between them
RUN --mount x
#~ 5-11 flag `--mount` needs a value
#~ help: write `--mount=` and the value, without a blank between them
HEALTHCHECK --interval CMD x
#~ 13-22 flag `--interval` needs a value
#~ help: write `--interval=` and the value, without a blank between them
