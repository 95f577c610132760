# rule: words.quotes, words.escape, words.end
FROM alpine
ENV a="b c"d e'f g'=h i=j\ k l="m\"n" o='p\' q=r
LABEL x='y z' w="a b
ARG s=t\
