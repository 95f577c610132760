# rule: heredoc.hidden, more.hints
FROM alpine
RUN echo it's <<E
1
#~ 1-1 unknown instruction `1`
#~ help: close or escape what is open on the line above
RUN true
RUN echo ${x^^} <<E
echo y
#~ 1-4 unknown instruction `echo`
#~ help: close or escape what is open on the line above
