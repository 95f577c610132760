# rule: lines.place, lines.comment
FROM alpine
RUN --netwrok=none \
#~ 5-18 `RUN` has no flag `--netwrok`
#~ help: write `--network`
# a comment

#~ 1-1 warning: blank line within an instruction
#~ help: remove it, or put a `#` on it
  make <<EOF
EOF
COPY a \
  --from=b
