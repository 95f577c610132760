# rule: copy.arguments
FROM alpine
COPY a
#~ 1-6 `COPY` needs a source and a destination
ADD
#~ 1-3 `ADD` needs a source and a destination
COPY --chown=a b
#~ 1-16 `COPY` needs a source and a destination
COPY ["a"]
#~ 1-10 `COPY` needs a source and a destination
