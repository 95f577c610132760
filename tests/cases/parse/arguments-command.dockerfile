# rule: arguments.command
FROM alpine
RUN echo "a  b"   'c' # not a comment
CMD echo "$name" && exit
ENTRYPOINT exec   top -b
RUN
