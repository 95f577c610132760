# rule: stage.circle
FROM alpine AS a
COPY --from=b / /
FROM alpine AS b
COPY --from=a / /
FROM alpine AS c
COPY --from=2 / /
FROM alpine AS d
RUN --mount=from=d,target=/x y
FROM alpine AS e
COPY --from=g / /
FROM e AS f
FROM alpine AS g
COPY --from=h / /
FROM f AS h
FROM scratch
