# rule: heredoc.destination
FROM alpine
COPY x <<E
#~ 8-10 `COPY` cannot write to a heredoc
#~ help: write the path of the destination last
E
COPY <<E
#~ 1-8 `COPY` needs a source and a destination
#~ help: write what to copy, then where to, as in `COPY file /path/`
E
