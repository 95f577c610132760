# rule: json.empty
FROM alpine
SHELL []
#~ 1-8 `SHELL` needs at least one string
VOLUME []
#~ 1-9 `VOLUME` needs at least one path
COPY []
#~ 1-7 `COPY` needs a source and a destination
