# rule: volume.path
FROM alpine
VOLUME
#~ 1-6 `VOLUME` needs at least one path
#~ help: write it as in `VOLUME /data`
VOLUME ["/a", " "]
#~ 15-17 the path of a volume is empty
#~ help: give an absolute path, or remove it
