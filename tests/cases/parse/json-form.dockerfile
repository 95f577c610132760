FROM alpine
CMD ["a\tb\u0041", "\\x", ""]
ENTRYPOINT []
RUN [ "split", \
  "over lines" ]
COPY ["a b", "$c", "/d e/"]
VOLUME ["/x", "/y z"]
# None of these is JSON, so all are for the shell.
CMD ['a']
CMD ["a",]
CMD ["\w"]
CMD ["a"] b
RUN [ -e x ] || true
RUN
VOLUME [a b]
