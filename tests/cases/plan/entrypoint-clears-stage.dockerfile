# rule: entrypoint.set, json.empty
FROM scratch AS base
CMD ["of the base"]
FROM base
ENTRYPOINT []
