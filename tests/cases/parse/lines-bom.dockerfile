# escape=`
# rule: lines.bom
FROM alpine
RUN the escape is `
  a backtick
