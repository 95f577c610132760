# rule: onbuild.text, config.history
FROM alpine
ONBUILD run make \
  all
ONBUILD COPY <<E /x
body
E
