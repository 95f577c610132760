# rule: heredoc.end
FROM alpine
RUN cat <<EOF
#~ 9-13 no line `EOF` ends this heredoc
#~ help: put `EOF` on a line of its own, with nothing around it
RNU is part of the body
 EOF
EOF 
RUN this as well
