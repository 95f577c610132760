# rule: shell.set
FROM alpine
SHELL
#~ 1-5 `SHELL` needs a JSON array of strings
#~ help: write it as in `SHELL ["/bin/sh", "-c"]`
SHELL /bin/bash -c
#~ 7-18 the shell is no JSON array of strings
#~ help: write it as in `SHELL ["/bin/sh", "-c"]`
