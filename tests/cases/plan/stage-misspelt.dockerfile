# rule: stage.source, more.hints
#: context assets
# What is nearly a stage or a context is an image all the same, and told.
FROM alpine AS build
FROM biuld AS other
COPY --from=buld / /a
RUN --mount=from=asets,target=/x true
COPY --from=build / /b
