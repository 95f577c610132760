# rule: scope.stage
FROM alpine AS base
ARG a=1
ENV b=2
WORKDIR /w
USER u
SHELL ["/bin/bash", "-c"]
LABEL l=3
CMD c
FROM base
RUN $a $b
FROM base
RUN unneeded
FROM 1
FROM base
COPY $a $b /
