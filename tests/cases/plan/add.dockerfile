# rule: add.archive, add.http, add.git
#: explain
FROM alpine
ADD src.tar.gz /local/
ADD --unpack=false src.tar.gz /kept/
ADD https://example.com/a/b.tgz?x=1 https://example.com/ /d/
ADD --unpack --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 https://example.com/c.tgz /e/
ADD https://example.com/r.git#main:docs /g1
ADD --keep-git-dir --checksum=0123abc git@example.com:o/r.git?tag=v1&submodules=0 /g2
ADD github.com/o/r /path
ADD https://example.com/list[1].txt <<"a*" /h/
no pattern
a*
