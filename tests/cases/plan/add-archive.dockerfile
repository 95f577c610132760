# rule: add.archive
FROM alpine
ADD src.tar.gz /local/
ADD --unpack=false src.tar.gz /kept/
ADD --unpack src.tar.gz /local/
COPY src.tar.gz /copied/
