# rule: add.http
FROM alpine
ADD https://example.com/a/b.tgz?x=1 https://example.com/ /d/
ADD --unpack --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 https://example.com/c.tgz /e/
ADD ftp://example.com/x /local/
