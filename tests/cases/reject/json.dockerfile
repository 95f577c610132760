FROM alpine
CMD [null]
#~ 5-10 a JSON array of arguments holds something else than strings
#~ help: put every element in double quotes
COPY ["a", 1, "b"]
#~ 6-18 a JSON array of arguments holds something else than strings
HEALTHCHECK CMD ["a", ["b"]]
#~ 17-28 a JSON array of arguments holds something else than strings
ONBUILD CMD [1]
#~ 13-15 a JSON array of arguments holds something else than strings
SHELL /bin/bash -c
#~ 7-18 the shell is no JSON array of strings
VOLUME ["/a", " "]
#~ 15-17 the path of a volume is empty
