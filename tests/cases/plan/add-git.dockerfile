# rule: add.git, add.git-fragment, add.git-query
FROM alpine
ADD https://example.com/r.git#main:docs /a
ADD git://example.com/r?branch=b /b
ADD ssh://git@example.com:22/r#v1 /c
ADD --keep-git-dir --checksum=0123abc git@example.com:o/r.git?tag=v1&submodules=0 /d
ADD https://example.com/r.git?ref=v2&subdir=docs&commit=0123abc&keep-git-dir&mtime=commit /e
