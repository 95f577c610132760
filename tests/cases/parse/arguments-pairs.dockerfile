# rule: arguments.pairs
FROM alpine
ENV a=b c="d e" f= g=h=i
LABEL a.b="c" 'd e'=f \
      last=one
