# rule: stage.unneeded
#: explain
# Two independent stages, one of them unneeded, and a target that copies from the other.
FROM golang:1.23 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg go mod download
COPY . .
RUN go build -o /out/app ./cmd/app

FROM golang:1.23 AS lint
RUN golangci-lint run

FROM alpine:3.20 AS assets
RUN apk add --no-cache tzdata

FROM scratch
COPY --from=assets /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /out/app /app
ENTRYPOINT ["/app"]
