# rule: json.empty
FROM alpine
SHELL []
#~ 1-8 `SHELL` needs at least one string
#~ help: write it as in `SHELL ["/bin/sh", "-c"]`
VOLUME []
#~ 1-9 `VOLUME` needs at least one path
#~ help: write it as in `VOLUME /data`
COPY []
#~ 1-7 `COPY` needs a source and a destination
#~ help: write what to copy, then where to, as in `COPY file /path/`
