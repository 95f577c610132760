# escape=x
#~ 10-10 bad escape character `x`
#~ help: use a backslash or a backtick
# Escape=`
#~ 1-10 directive `escape` is repeated
FROM alpine
# escape=ignored here
RUN x
