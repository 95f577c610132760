FROM alpine
HEALTHCHECK --foo=1s --intervall=1s CMD x
#~ 13-20 `HEALTHCHECK` has no flag `--foo`
#~ help: use one that `HEALTHCHECK` has: `--interval`, `--retries`, `--start-interval`, `--start-period`, `--timeout`
#~ 22-35 `HEALTHCHECK` has no flag `--intervall`
#~ help: write `--interval`
HEALTHCHECK --interval=1us --timeout=-1s --start-period=5 --retries=-1 CMD x
#~ 24-26 `--interval` of `1us` is shorter than `1ms`
#~ 38-40 bad time `-1s` of flag `--timeout`
#~ help: write a number and a unit, such as `30s` or `1m30s`
#~ 57-57 bad time `5` of flag `--start-period`
#~ help: write a number and a unit, such as `30s` or `1m30s`
#~ 69-70 bad number `-1` of flag `--retries`
#~ help: write a whole number, 0 or more
HEALTHCHECK --retries=two curl x
#~ 23-25 bad number `two` of flag `--retries`
#~ help: write a whole number, 0 or more
#~ 27-30 unknown kind of health check `curl`
#~ help: write `CMD` before the command
