# rule: config.path, config.scratch
#: target second
FROM scratch AS base
RUN in /
FROM base AS second
ENV PATH=/p
WORKDIR relative
