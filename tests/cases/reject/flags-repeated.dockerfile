# rule: flags.repeated
FROM alpine
COPY --chown=a \
  --chown=b x y
#~ 3-11 flag `--chown` is repeated
#~ help: remove one of the two
COPY --link --link=false x y
#~ 13-24 flag `--link` is repeated
#~ help: remove one of the two
