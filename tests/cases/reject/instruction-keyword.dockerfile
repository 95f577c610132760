# rule: instruction.keyword
FROM alpine
RNU make
#~ 1-3 unknown instruction `RNU`
#~ help: write `RUN`
RUN a no-break space is part of the keyword
#~ 1-6 unknown instruction `RUN a`
#~ help: write a space instead of the character U+00A0
  && make install
#~ 3-4 unknown instruction `&&`
#~ help: if it belongs to the line above, end that line with a continuation
FORM alpine
#~ 1-4 unknown instruction `FORM`
#~ help: write `FROM`
CMD ["a"]
