FROM alpine
RUN echo it's <<E
1
#~ 1-1 unknown instruction `1`
#~ help: if it belongs to the line above, end that line with a continuation
#~ help: close or escape it
RUN true
