FROM alpine
RUN echo a \
  b
COPY <<EOF /c
line
EOF
ENV d=e
