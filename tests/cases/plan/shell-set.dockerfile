# rule: shell.set, shell.default
FROM alpine
RUN before
SHELL ["/bin/bash", "-c"]
RUN after
CMD after
HEALTHCHECK CMD not this one
