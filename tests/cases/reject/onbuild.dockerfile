# rule: onbuild.refused
FROM alpine
ONBUILD FROM x
#~ 9-12 `FROM` cannot be a trigger of `ONBUILD`
#~ help: remove it: the `FROM` of the other build is what fires the trigger
ONBUILD maintainer x
#~ 9-18 `MAINTAINER` cannot be a trigger of `ONBUILD`
#~ help: write `LABEL org.opencontainers.image.authors=…` instead
ONBUILD ONBUILD RUN x
#~ 9-15 `ONBUILD` cannot be a trigger of `ONBUILD`
#~ help: write one `ONBUILD`: a trigger fires in the next build only
ONBUILD --x RUN y
#~ 9-11 `ONBUILD` has no flag `--x`
#~ help: write the flag behind the instruction that is the trigger
ONBUILD
#~ 1-7 `ONBUILD` needs an instruction
#~ help: write it as in `ONBUILD RUN make`
