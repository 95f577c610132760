# rule: lines.split
FROM alpine
RUN echo a \
  b
RUN echo cd
ENV e=f