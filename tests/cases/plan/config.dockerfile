# rule: config.history, config.layers
FROM scratch
MAINTAINER someone
ENV A=1 B="$A x"
LABEL k v w
WORKDIR /
WORKDIR d
USER app:app
WORKDIR e
EXPOSE 80 82-83/UDP $A
VOLUME ["/data", "/v $A"]
STOPSIGNAL SIGRTMIN+3
SHELL ["/bin/bash", "-c"]
CMD run "me"
ENTRYPOINT ["/e", "\t"]
HEALTHCHECK --interval=90s --timeout=1.5s --retries=3 CMD check
ONBUILD RUN later
RUN --network=none --security=insecure now
RUN ["exec", "form"]
