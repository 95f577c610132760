# rule: run.device
FROM alpine
RUN --device=gpu,required cmd
