#: plan
#: build --no-push --kaniko-dir @work
FROM alpine AS build
RNU make
COPY a
RUN --moutn=type=cache,target=/x make
ENV
FROM alpine AS Build_2!
COPY --from=bulid /a /b
