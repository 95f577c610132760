# escape=`
# Escape=`
#~ 1-10 directive `escape` is repeated
#~ help: remove one of the two
# rule: directive.repeated
FROM alpine
# escape=ignored here
RUN x
