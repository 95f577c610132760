FROM alpine
ONBUILD COPY --from=later . /src
onbuild run make \
  all
ONBUILD ENV a=$b
# What is wrong with these matters when they fire.
ONBUILD RNU make
ONBUILD COPY x
