# rule: copy.arguments
FROM alpine
COPY a
#~ 1-6 `COPY` needs a source and a destination
#~ help: write what to copy, then where to, as in `COPY file /path/`
ADD
#~ 1-3 `ADD` needs a source and a destination
#~ help: write what to copy, then where to, as in `ADD file /path/`
COPY --chown=a b
#~ 1-16 `COPY` needs a source and a destination
#~ help: write what to copy, then where to, as in `COPY file /path/`
COPY ["a"]
#~ 1-10 `COPY` needs a source and a destination
#~ help: write what to copy, then where to, as in `COPY file /path/`
