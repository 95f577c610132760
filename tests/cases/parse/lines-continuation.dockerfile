# rule: lines.continuation, lines.indent
  FROM alpine \
  AS base
RUN echo two \ 	
 three
RU\
N echo s\
ix
ENV a="b \
c" d=${e:-\
f}
COPY --from=ba\
se x \
y /z/
