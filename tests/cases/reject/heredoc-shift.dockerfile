# rule: heredoc.shift, more.hints
FROM alpine
RUN echo $((1 << 2))
#~ 15-20 no line `2))` ends this heredoc
#~ help: if this is a shift, write it without a blank before the `<<`
RUN echo $((1<<2))
