# rule: words.open
FROM alpine
ENV a="b c=d
LABEL b='x
