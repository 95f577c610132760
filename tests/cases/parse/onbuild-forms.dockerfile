# rule: onbuild.text, onbuild.late
FROM alpine
ONBUILD COPY --from=later . /src
onbuild run make \
  all
ONBUILD ENV a=$b
ONBUILD RNU make
ONBUILD COPY x
ONBUILD COPY <<E /x
body
E
