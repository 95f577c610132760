# rule: heredoc.body
FROM alpine
RUN <<EOF
# no comment

FROM nowhere
echo $HOME \
  and more <<OTHER
 EOF
EOF
RUN after
