FROM alpine
RUN --mount=type=bind,target=\"/x\" true
#~ 5-35 a quote in the value of `--mount` does not surround a field
RUN --mount= true
#~ 5-12 `--mount` has no value
#~ help: write `--mount=type=bind,source=PATH,target=PATH`
