# rule: add.checksum
FROM alpine
ADD --checksum=sha256:12 https://example.com/a /x
ADD --checksum=md5:0123456789abcdef0123456789abcdef https://example.com/a /x
ADD --checksum=abc a b /x
ADD --checksum=abc a /x
ADD --checksum=abc https://example.com/a https://example.com/b /x
