# syntax=docker/dockerfile:1
# rule: lines.description, directive.syntax
#
ARG GO=1.24
ARG BASE=registry.example/distroless/static

# build compiles the server.
FROM --platform=$BUILDPLATFORM golang:${GO}-alpine AS Build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /out/server ./cmd/server

FROM ${BASE}
COPY --from=build --chown=65532:65532 /out/server /server
USER 65532
EXPOSE 8080
ENTRYPOINT ["/server"]
CMD ["--listen", ":8080"]
