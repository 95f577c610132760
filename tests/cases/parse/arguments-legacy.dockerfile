# rule: arguments.legacy
FROM alpine
ENV key value with  "blanks" and=signs
LABEL k	v
ENV "a b" c
ENV d e \
  f
