# rule: workdir.join, workdir.made, config.layers
FROM alpine
WORKDIR a
WORKDIR b/../c
WORKDIR /x/../y/
USER me
WORKDIR ..
WORKDIR z
WORKDIR /
RUN cmd
