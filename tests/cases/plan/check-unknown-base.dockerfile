# Nobody knows what this image sets, so only the stage without one is judged.
FROM mystery AS a
COPY $perhaps /
FROM a AS b
COPY $perhaps /
FROM scratch
COPY --from=b $never /
