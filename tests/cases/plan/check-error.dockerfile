# check=error=true
FROM scratch as B
COPY $x /b
