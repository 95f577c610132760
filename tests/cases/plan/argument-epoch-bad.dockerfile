# rule: argument.epoch
#: build-arg SOURCE_DATE_EPOCH=yesterday
FROM alpine
