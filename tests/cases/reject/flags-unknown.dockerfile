# rule: flags.unknown
FROM --plattform=x alpine
#~ 6-18 `FROM` has no flag `--plattform`
#~ help: write `--platform`
COPY --checksum=x a b
#~ 6-17 `COPY` has no flag `--checksum`
#~ help: use one that `COPY` has: `--chmod`, `--chown`, `--exclude`, `--from`, `--link`, `--parents`
ENV --x A=1
#~ 5-7 `ENV` has no flag `--x`
#~ help: to give `ENV` an argument that begins with `--`, write `--` before it
CMD --x a
#~ 5-7 `CMD` has no flag `--x`
#~ help: to give `CMD` an argument that begins with `--`, write `--` before it
RUN --privileged x
#~ 5-16 `RUN` has no flag `--privileged`
#~ help: use one that `RUN` has: `--device`, `--mount`, `--network`, `--security`
HEALTHCHECK --intervall=1s CMD x
#~ 13-26 `HEALTHCHECK` has no flag `--intervall`
#~ help: write `--interval`
USER --name x
#~ 6-11 `USER` has no flag `--name`
#~ help: to give `USER` an argument that begins with `--`, write `--` before it
EXPOSE --tcp 80
#~ 8-12 `EXPOSE` has no flag `--tcp`
#~ help: to give `EXPOSE` an argument that begins with `--`, write `--` before it
VOLUME --x /y
#~ 8-10 `VOLUME` has no flag `--x`
#~ help: to give `VOLUME` an argument that begins with `--`, write `--` before it
