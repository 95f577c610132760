#: ignore secrets
#: ignore *.log
#: ignore .*
#: image alpine {"os":"linux","architecture":"amd64","config": {}}
# What COPY and ADD take, and what of their flags has no effect.
FROM alpine AS a
COPY secrets/key ./x/../a.log b.log /d/
COPY . /
ADD .git https://example.com/secrets /
COPY a b /d
COPY --link --chmod=755 a /
ADD --keep-git-dir a /
ADD --keep-git-dir https://example.com/r.git?mtime=commit /r
FROM a
COPY --from=a secrets /
ADD https://example.com/r.git?mtime=checkout /r
COPY a b /d/
