# rule: more.all-mistakes
# What cannot be expanded and what means nothing are told together, in the order of the text.
FROM scratch
EXPOSE 80/udpp
ENV a=${b,,}
STOPSIGNAL SIGKIL
RUN --mount=type=cach,target=/x make
WORKDIR ${missing:?not here}
COPY --chmod=999 a /
