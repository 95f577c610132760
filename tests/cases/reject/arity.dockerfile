FROM
#~ 1-4 `FROM` needs an image
FROM a b
#~ 1-8 `FROM` takes an image and, behind `AS`, a name
#~ help: write `AS` before the name of the stage
FROM a AS b c
#~ 1-13 `FROM` takes an image and, behind `AS`, a name
#~ help: give the stage one name, without blanks
ADD a
#~ 1-5 `ADD` needs a source and a destination
ADD
#~ 1-3 `ADD` needs a source and a destination
ARG
#~ 1-3 `ARG` needs at least one name
COPY --chown=a b
#~ 1-16 `COPY` needs a source and a destination
ENV
#~ 1-3 `ENV` needs at least one `key=value`
ENV a
#~ 1-5 `ENV` needs a value for `a`
#~ help: write `key=value`; the value may be empty
EXPOSE
#~ 1-6 `EXPOSE` needs at least one port
HEALTHCHECK
#~ 1-11 `HEALTHCHECK` needs `NONE` or `CMD`
HEALTHCHECK NONE x
#~ 1-18 `HEALTHCHECK NONE` takes no arguments
HEALTHCHECK CMD
#~ 1-15 `HEALTHCHECK CMD` needs a command
LABEL
#~ 1-5 `LABEL` needs at least one `key=value`
MAINTAINER
#~ 1-10 `MAINTAINER` needs a name
ONBUILD
#~ 1-7 `ONBUILD` needs an instruction
SHELL
#~ 1-5 `SHELL` needs a JSON array of strings
SHELL []
#~ 1-8 `SHELL` needs at least one string
STOPSIGNAL
#~ 1-10 `STOPSIGNAL` needs a signal
USER
#~ 1-4 `USER` needs a user
VOLUME
#~ 1-6 `VOLUME` needs at least one path
VOLUME []
#~ 1-9 `VOLUME` needs at least one path
WORKDIR \
#~ 1-7 `WORKDIR` needs a path
