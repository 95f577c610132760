# rule: arguments.legacy, flags.place
FROM alpine
ENV key  value 
COPY --link  --chown=a b / c 
HEALTHCHECK CMD  true
