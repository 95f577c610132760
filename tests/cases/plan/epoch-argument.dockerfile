# rule: argument.epoch
#: build-arg SOURCE_DATE_EPOCH=yesterday
ARG SOURCE_DATE_EPOCH=1700000000
FROM scratch
