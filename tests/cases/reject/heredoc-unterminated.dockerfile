FROM alpine
RUN echo $((1 << 2))
#~ 15-20 no line `2))` ends this heredoc
#~ help: if this is a shift, write it without a blank before the `<<`
RUN cat <<EOF
#~ 9-13 no line `EOF` ends this heredoc
#~ help: put `EOF` on a line of its own, with nothing around it
RNU is part of the body
 EOF
