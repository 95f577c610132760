# rule: instruction.keyword
FROM alpine AS base
ADD --keep-git-dir=true https://example.org/r.git#v1 /r
ARG name=value
CMD echo "$name"
COPY a b /c/
ENTRYPOINT ["run", "--flag"]
ENV KEY=value
EXPOSE 80 443/tcp 53/udp
HEALTHCHECK --interval=1m30s --retries=3 CMD curl -f http://127.0.0.1/
LABEL org.example.title="A title"
MAINTAINER Somebody <somebody@example.org>
ONBUILD RUN make
RUN echo hello
SHELL ["/bin/bash", "-c"]
STOPSIGNAL SIGTERM
USER nobody:nogroup
VOLUME /data /cache
WORKDIR /with a blank
HEALTHCHECK NONE
# Keywords are case-insensitive.
run echo lower case
