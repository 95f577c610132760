# rule: scope.expanded
FROM alpine
ARG a=1 signal=TERM user=u:g mode=0644 key=k
ENV $key=$a
LABEL $key=$a
COPY --chown=$user --chmod=$mode $a ${a}2 /$a/
WORKDIR /$a
USER $user
VOLUME $a
STOPSIGNAL SIG$signal
EXPOSE $a
RUN --mount=type=cache,target=/$a,id=$key x
