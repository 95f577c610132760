# rule: lines.continued-end
FROM alpine
RUN last \
