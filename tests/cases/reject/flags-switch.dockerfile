# rule: flags.switch
FROM alpine
COPY --link= x y
#~ 6-12 flag `--link` is either `true` or `false`
#~ help: write `--link`, or leave it out
ADD --link=yes x y
#~ 5-14 flag `--link` is either `true` or `false`
#~ help: write `--link`, or leave it out
ADD --unpack=0 x y
#~ 5-14 flag `--unpack` is either `true` or `false`
#~ help: write `--unpack`, or leave it out
