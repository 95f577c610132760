# rule: onbuild.late
FROM alpine AS base
ONBUILD RNU make
ONBUILD COPY x
FROM base
RUN y
