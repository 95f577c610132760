# rule: flags.quotes
FROM --platform="linux/"'amd64' alpine
COPY --from=a\ b --chown="x y" --exclude='*.\'md' x y
COPY --chown="a"'b'\"c --link x y
RUN --mount=type=bind,"target=/a b" cmd
