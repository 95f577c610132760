# rule: stage.shared
#: explain
# Equal steps on equal inputs are one node, whichever stage they stand in.
FROM alpine AS a
RUN apk add curl
RUN a
FROM alpine AS b
RUN apk add curl
RUN b
FROM scratch
COPY --from=a /a /
COPY --from=b /b /
