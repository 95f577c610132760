# rule: stage.unneeded
# What is wrong in a stage that nothing needs does not matter once it could be read.
FROM alpine AS unneeded
COPY https://example.com/a /
COPY git@example.com:r.git /
COPY --chmod=99999 a /
COPY --from=Not:A:Reference a /
ADD --checksum=x a b /
ADD https://example.com/r.git?ref=a#b /
RUN --mount=type=bind x
RUN --mount=type=$nothing,target=/x,sharing=no x
RUN --mount=foo=bar,target x
RUN --device=gpu x
RUN []
ENV a=${b,,} c="
EXPOSE 70000 80/x
VOLUME $nothing
STOPSIGNAL SIGFOO
FROM Upper AS unneeded-too
FROM alpine
RUN y
