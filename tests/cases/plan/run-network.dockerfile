# rule: run.network, run.security
FROM alpine
RUN --network=default --security=sandbox a
RUN --network=none b
RUN --network=host --security=insecure c
