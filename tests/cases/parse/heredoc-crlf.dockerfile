# rule: heredoc.crlf
FROM alpine
COPY <<EOF /c
line
EOF
RUN after
