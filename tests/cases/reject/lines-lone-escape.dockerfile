# rule: lines.lone-escape
FROM alpine
RUN \
  true
\
#~ 1-1 no instruction follows this continuation
#~ help: remove it

  \
# a comment
