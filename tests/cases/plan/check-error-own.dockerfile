# check=error=true
# What only kaniko warns of fails no build.
FROM scratch
COPY a c /b
