# rule: argument.epoch
#: build-arg SOURCE_DATE_EPOCH=1700000000
FROM alpine
ARG SOURCE_DATE_EPOCH
RUN cmd
