# rule: flags.repeated
FROM alpine
COPY --exclude=*.a --exclude=$b x y
RUN --mount=type=ssh --mount=type=ssh,id=b --device=gpu --device=fpga x
