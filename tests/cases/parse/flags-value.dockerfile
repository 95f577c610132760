# rule: flags.value
FROM --platform= alpine
COPY --from= --chown= --chmod= x y
RUN --network= --security= x
