# rule: run.device
FROM alpine
RUN --device=vendor.com/gpu=0,required true
RUN --device=name=gpu,required=false true
RUN --device= true
#~ 5-13 the value of `--device` cannot be read
#~ help: write `--device=NAME` or `--device=NAME,required`
RUN --device=gpu,required=maybe true
#~ 18-31 `maybe` is no truth value
#~ help: write `required`, or leave it out
RUN --device=gpu,other true
#~ 18-22 `other` is no part of a device
#~ help: give each device a `--device` of its own
RUN --device=gpu,name=other true
#~ 18-27 `name=other` is no part of a device
#~ help: give each device a `--device` of its own
RUN --device=a,requird x
#~ 16-22 `requird` is no part of a device
#~ help: write `required`
