# rule: shell.default, config.path
#: platform windows/amd64
FROM example.org/servercore
RUN dir
CMD dir
