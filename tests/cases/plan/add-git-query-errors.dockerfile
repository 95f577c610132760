# rule: add.git-query
FROM alpine
ADD https://example.com/r.git?ref=a#b /x
ADD https://example.com/r.git?tag=a&branch=b /x
ADD https://example.com/r.git?ref= /x
ADD https://example.com/r.git?ref=a&ref=a /x
ADD https://example.com/r.git?subdri=docs /x
ADD https://example.com/r.git?submodules=no /x
ADD https://example.com/r.git?mtime=never /x
ADD --checksum=01 https://example.com/r.git?checksum=02 /x
ADD --keep-git-dir=false https://example.com/r.git?keep-git-dir=1 /x
ADD https://example.com/r.git?subdir=a#b:c /x
ADD https://example.com/r.git?depth=1 /x
