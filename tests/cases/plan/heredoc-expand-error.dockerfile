# rule: heredoc.expand
FROM alpine
COPY <<E /e
the line before
and ${v:?"is missing"}
E
