# rule: run.network, run.security
FROM alpine
RUN --network=hots x
#~ 15-18 bad value `hots` of flag `--network`
#~ help: write `--network=host`
RUN --network=bridge x
#~ 15-20 bad value `bridge` of flag `--network`
#~ help: use one of `default`, `host`, `none`
RUN --network=Host x
#~ 15-18 bad value `Host` of flag `--network`
#~ help: write `--network=host`
RUN --security="in" x
#~ 17-18 bad value `in` of flag `--security`
#~ help: use one of `insecure`, `sandbox`
