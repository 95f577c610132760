# rule: heredoc.script
#: platform windows/amd64
FROM example.org/servercore
RUN <<EOF
#!text for the shell
EOF
