# rule: json.empty
FROM alpine
CMD []
ENTRYPOINT [ ]
