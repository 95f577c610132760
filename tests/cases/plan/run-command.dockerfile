# rule: run.command, run.empty
FROM alpine
RUN echo "$HOME" && exit
RUN ["echo", "$HOME"]
RUN
SHELL ["/bin/bash", "-ec"]
RUN in bash
