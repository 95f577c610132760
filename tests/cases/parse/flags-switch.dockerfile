# rule: flags.switch
FROM alpine
COPY --link --parents=False x y
ADD --unpack=FALSE --keep-git-dir --link=true https://example.org/x.tar.gz /
