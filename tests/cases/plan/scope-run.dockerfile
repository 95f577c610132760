# rule: scope.run
FROM alpine
RUN sees nothing
ARG a=1 b
RUN sees a
ENV c=2
RUN sees a and c
