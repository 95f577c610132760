# rule: run.device
FROM alpine
RUN --device=gpu cmd
