# rule: lines.comment, lines.place
FROM alpine
RUN echo one && \
# A comment does not end the instruction,
    # wherever it stands, and cannot be continued \
    echo two # and this is none
RUN echo three
