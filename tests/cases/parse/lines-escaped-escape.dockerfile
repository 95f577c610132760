# rule: lines.escaped-escape
FROM alpine
RUN echo \\
RUN echo \\\
RUN echo \ x
