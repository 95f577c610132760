FROM alpine
ARG port=70000 path= signal=SIGFOO
EXPOSE 80 $port
VOLUME /ok $path
STOPSIGNAL $signal
RUN []
ADD --checksum=abc . /x
