# rule: healthcheck.command, flags.unknown
FROM alpine
HEALTHCHECK CMD true
#~ 13-21 unknown kind of health check `CMD true`
#~ help: write a space instead of the character U+00A0
COPY --link a b
#~ 1-16 `COPY` needs a source and a destination
#~ help: write what to copy, then where to, as in `COPY file /path/`
#~ 6-14 `COPY` has no flag `--link a`
#~ help: write a space instead of the character U+00A0
ENV key value
#~ 1-14 `ENV` needs a value for `key value`
#~ help: write a space instead of the character U+00A0
