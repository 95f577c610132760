FROM alpine
ENV a=${b:?"is needed"}
ENV c=${d,,}
