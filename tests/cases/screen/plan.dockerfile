#: plan
#: plan --target build
#: plan --explain
#: ir --level graph --format text
ARG VERSION=1
FROM rust:${VERSION} AS build
WORKDIR /src
COPY Cargo.toml .
RUN --mount=type=cache,target=/cargo cargo build --release
FROM debian AS test
RUN make test
FROM debian
ENV APP=/usr/bin/app
COPY --from=build --chmod=0755 /src/target/release/app $APP
USER nobody
CMD ["app"]
