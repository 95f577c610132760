
# escape=`
# rule: directive.place
FROM alpine
RUN the escape is \
  a backslash
