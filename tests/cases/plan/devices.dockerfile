# rule: run.device
# A device that is not required is done without.
FROM alpine AS unneeded
RUN --device=gpu,required x
FROM alpine
RUN --device=vendor.com/gpu=0 --device=name=other,required=0 y
