# rule: json.elements
FROM alpine
CMD [null]
#~ 6-9 `null` in a JSON array of arguments is no string
#~ help: put every element in double quotes, or write the arguments without the brackets
COPY ["a", 1, "b"]
#~ 12-12 `1` in a JSON array of arguments is no string
#~ help: put every element in double quotes, or write the arguments without the brackets
HEALTHCHECK CMD ["a", ["b"]]
#~ 23-27 `["b"]` in a JSON array of arguments is no string
#~ help: put every element in double quotes, or write the arguments without the brackets
ONBUILD CMD [1]
#~ 14-14 `1` in a JSON array of arguments is no string
#~ help: put every element in double quotes, or write the arguments without the brackets
VOLUME ["/a", true]
#~ 15-18 `true` in a JSON array of arguments is no string
#~ help: put every element in double quotes, or write the arguments without the brackets
