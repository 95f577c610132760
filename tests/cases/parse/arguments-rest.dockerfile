# rule: arguments.rest
FROM alpine
MAINTAINER Somebody   <somebody@example.org>
WORKDIR /a  b
USER "nobody" : x
STOPSIGNAL SIG TERM
