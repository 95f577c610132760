# rule: add.git
FROM alpine
ADD github.com/o/r /path
ADD https://example.com/r.git/ /http
ADD https://example.com/r.GIT /http
ADD ./r.git /path
