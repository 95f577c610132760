# rule: run.empty, json.empty
FROM alpine
RUN []
