# rule: healthcheck.none, healthcheck.command
FROM alpine
HEALTHCHECK
#~ 1-11 `HEALTHCHECK` needs `NONE` or `CMD`
#~ help: write it as in `HEALTHCHECK CMD curl -f http://localhost/`
HEALTHCHECK NONE x
#~ 18-18 `HEALTHCHECK NONE` takes no arguments
#~ help: remove them, or write `CMD` instead of `NONE`
HEALTHCHECK CMD
#~ 1-15 `HEALTHCHECK CMD` needs a command
#~ help: write it as in `HEALTHCHECK CMD curl -f http://localhost/`
HEALTHCHECK CMD []
#~ 1-18 `HEALTHCHECK CMD` needs a command
#~ help: write it as in `HEALTHCHECK CMD curl -f http://localhost/`
HEALTHCHECK curl x
#~ 13-16 unknown kind of health check `curl`
#~ help: write `CMD` before the command
HEALTHCHECK cdm x
#~ 13-15 unknown kind of health check `cdm`
#~ help: write `CMD`
HEALTHCHECK NON
#~ 13-15 unknown kind of health check `NON`
#~ help: write `NONE`
