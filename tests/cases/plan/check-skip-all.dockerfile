# check=skip=all;experimental=all
# Something else.
FROM scratch as B
COPY $x a /b
