# rule: expand.before
FROM alpine
ENV a=1
ENV a=2 b=$a
ARG c=$b d=$c
LABEL b=$b d=$d
