# rule: onbuild.refused
FROM alpine
ONBUILD FROM x
#~ 9-12 `FROM` cannot be a trigger of `ONBUILD`
ONBUILD maintainer x
#~ 9-18 `MAINTAINER` cannot be a trigger of `ONBUILD`
ONBUILD ONBUILD RUN x
#~ 9-15 `ONBUILD` cannot be a trigger of `ONBUILD`
ONBUILD --x RUN y
#~ 9-11 `ONBUILD` has no flag `--x`
#~ help: to give `ONBUILD` an argument that begins with `--`, write `--` before it
ONBUILD
#~ 1-7 `ONBUILD` needs an instruction
