# rule: more.from-variables
ARG EMPTY=
FROM alpine
ARG OWN=alpine
COPY --from=$OWN a /
COPY --from=$EMPTY a /
COPY --from=${NONE:-$EMPTY} a /
COPY --from=${TAG a /
RUN --mount=from=img:$OWN,target=/x y
RUN --mount=from=$EMPTY,target=/x y
RUN --mount=from=${NONE?stage},target=/x y
