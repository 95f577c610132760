# rule: scope.verbatim
FROM alpine
ARG a=1
RUN echo $a
RUN ["echo", "$a"]
CMD echo $a
ENTRYPOINT ["$a"]
SHELL ["$a"]
HEALTHCHECK CMD $a
MAINTAINER $a
COPY --exclude=$a x /
