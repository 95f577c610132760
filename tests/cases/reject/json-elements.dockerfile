# rule: json.elements
FROM alpine
CMD [null]
#~ 5-10 a JSON array of arguments holds something else than strings
#~ help: put every element in double quotes
COPY ["a", 1, "b"]
#~ 6-18 a JSON array of arguments holds something else than strings
#~ help: put every element in double quotes
HEALTHCHECK CMD ["a", ["b"]]
#~ 17-28 a JSON array of arguments holds something else than strings
#~ help: put every element in double quotes
ONBUILD CMD [1]
#~ 13-15 a JSON array of arguments holds something else than strings
#~ help: put every element in double quotes
VOLUME ["/a", true]
#~ 8-19 a JSON array of arguments holds something else than strings
#~ help: put every element in double quotes
