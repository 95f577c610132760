# escape=`
# rule: directive.form
FROM alpine
RUN a `
  b
