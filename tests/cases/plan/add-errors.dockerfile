# rule: add.git-query, copy.remote, add.checksum, copy.mode
FROM alpine
ARG file=https://example.com/a repository=https://example.com/r.git
ADD https://example.com/r.git?ref=a#b /x
COPY $file /x
COPY https://example.com/a ssh://example.com/b.git /x
COPY $repository /x
ADD --checksum=sha256:12 https://example.com/a /x
ADD --checksum=abc a b /x
ADD --checksum=abc a /x
ARG mode=9
ADD --chmod=$mode a /x
