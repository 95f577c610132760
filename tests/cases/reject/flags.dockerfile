FROM --plattform=x alpine
#~ 6-18 `FROM` has no flag `--plattform`
#~ help: write `--platform`
COPY --link= x y
#~ 6-12 flag `--link` is either `true` or `false`
COPY --from x y
#~ 6-11 flag `--from` needs a value
#~ help: write `--from=` and the value, without a blank between them
COPY --FROM=a x y
#~ 6-13 `COPY` has no flag `--FROM`
#~ help: write `--from`
COPY --checksum=x a b
#~ 6-17 `COPY` has no flag `--checksum`
#~ help: use one that `COPY` has: `--chmod`, `--chown`, `--exclude`, `--from`, `--link`, `--parents`
COPY --chown=a \
  --chown=b x y
#~ 3-11 flag `--chown` is repeated
ADD --link=yes x y
#~ 5-14 flag `--link` is either `true` or `false`
ENV --x A=1
#~ 5-7 `ENV` has no flag `--x`
#~ help: to give `ENV` an argument that begins with `--`, write `--` before it
CMD --x a
#~ 5-7 `CMD` has no flag `--x`
RUN --privileged --network=hots --security="in" x
#~ 5-16 `RUN` has no flag `--privileged`
#~ 28-31 bad value `hots` of flag `--network`
#~ help: write `--network=host`
#~ 45-46 bad value `in` of flag `--security`
#~ help: use one of `insecure`, `sandbox`
