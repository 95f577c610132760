# rule: healthcheck.times, healthcheck.retries
FROM alpine
HEALTHCHECK --interval=1us CMD x
#~ 24-26 `--interval` of `1us` is shorter than `1ms`
#~ help: write a longer time, or `0` for the default
HEALTHCHECK --timeout=-1s CMD x
#~ 23-25 bad time `-1s` of flag `--timeout`
#~ help: write a number and a unit, such as `30s` or `1m30s`
HEALTHCHECK --start-period=5 CMD x
#~ 28-28 bad time `5` of flag `--start-period`
#~ help: write a number and a unit, such as `30s` or `1m30s`
HEALTHCHECK --start-interval=2d CMD x
#~ 30-31 bad time `2d` of flag `--start-interval`
#~ help: write a number and a unit, such as `30s` or `1m30s`
HEALTHCHECK --retries=-1 CMD x
#~ 23-24 bad number `-1` of flag `--retries`
#~ help: write a whole number, 0 or more
HEALTHCHECK --retries=two CMD x
#~ 23-25 bad number `two` of flag `--retries`
#~ help: write a whole number, 0 or more
