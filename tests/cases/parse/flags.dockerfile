FROM --platform="linux/"'amd64' alpine
COPY --from=a\ b --chown=$user --chmod=u=rwX --link --parents=False --exclude=*.a --exclude=$b x y
COPY --from= --chown= x --chown=late y
ADD --checksum=sha256:$sum --unpack=FALSE --keep-git-dir https://example.org/x.tar.gz /
RUN --network=none --security=insecure --device=gpu -- --not-a-flag
RUN --network= --security= x
# These drop their flags.
STOPSIGNAL --x 9
ARG --y a=b
HEALTHCHECK --bogus NONE
HEALTHCHECK --interval=0 --timeout=1.5s --start-period=2h45m --start-interval=500ms --retries=0 cmd ["x"]
