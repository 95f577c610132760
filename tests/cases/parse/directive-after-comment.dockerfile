# rule: directive.place
# escape=`
FROM alpine
RUN the escape is \
  a backslash
