# rule: json.strings, json.escapes
FROM alpine
CMD ["a\tb\u0041", "\\x", ""]
RUN [ "split", \
  "over lines" ]
COPY ["a b", "c", "/d e/"]
VOLUME ["/x", "/y z"]
ENTRYPOINT ["\ud800x", "\ud83d\ude00"]
