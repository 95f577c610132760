# Flags that are dropped, and a blank line that ends nothing.
ARG --a B=1
FROM scratch
STOPSIGNAL --c 9
HEALTHCHECK --interval=1s NONE
HEALTHCHECK --interval=1s CMD ["true"]
LABEL a=b \

      c=d
