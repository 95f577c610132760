# rule: config.history, config.layers
FROM alpine
ARG a=1 b
ENV c=2
RUN a
WORKDIR /
WORKDIR /w
ADD x /
ONBUILD RUN later
CMD d
