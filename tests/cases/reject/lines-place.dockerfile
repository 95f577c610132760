# rule: lines.place, lines.comment
FROM alpine
RUN --netwrok=none \
#~ 5-18 `RUN` has no flag `--netwrok`
#~ help: write `--network`
# a comment

  make <<EOF
EOF
COPY a \
  --from=b
