# rule: scope.later
FROM alpine
ARG a=arg
ENV a=env
RUN a is env
ENV b=env
ARG b=arg
RUN b is arg
