FROM alpine \
  AS base
RUN echo one && \
# A comment does not end the instruction,
    # wherever it stands, and cannot be continued \
    echo two \	 
 three
# An escaped escape is no continuation.
RUN echo four \\
RUN echo five
# Words may be split anywhere.
RU\
N echo s\
ix
# A lone escape is an empty beginning.
\
  RUN echo seven
ENV a="b \
c" d=${e:-\
f}
COPY --from=ba\
se x \
y /z/
RUN last \
