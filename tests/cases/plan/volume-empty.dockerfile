# rule: volume.path
FROM alpine
VOLUME /ok $none
