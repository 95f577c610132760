# rule: expand.one-word, expand.words
FROM alpine
ARG ports="80 81/udp" dir="/a b"
EXPOSE $ports
VOLUME $dir
WORKDIR $dir
COPY $dir $dir/
