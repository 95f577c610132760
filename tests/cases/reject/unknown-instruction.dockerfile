FROM alpine
RNU make
#~ 1-3 unknown instruction `RNU`
#~ help: write `RUN`
  && make install
#~ 3-4 unknown instruction `&&`
#~ help: if it belongs to the line above, end that line with a continuation
COPY a
#~ 1-6 `COPY` needs a source and a destination
CMD ["a"]
#~ 1-11 unknown instruction `CMD ["a"]`
