# escape=x
#~ 10-10 bad escape character `x`
#~ help: use a backslash or a backtick
# rule: directive.escape
FROM alpine
