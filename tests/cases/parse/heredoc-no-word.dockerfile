# rule: heredoc.no-word
FROM alpine
RUN echo "<<EOF" '<<EOF' a<<EOF <<<EOF <<a<b \<<EOF $((1<<2)) <<
RUN echo
