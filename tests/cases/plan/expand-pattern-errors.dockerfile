# rule: expand.pattern
FROM alpine
LABEL a=${b#\n}
LABEL a=${b%c\}
LABEL a=${b/x}
