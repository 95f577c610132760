#: target prod
FROM alpine AS Dev
FROM alpine AS test
