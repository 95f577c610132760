# rule: expand.malformed
FROM alpine
LABEL a=${}
LABEL a=${b
LABEL a=${b:
LABEL a=${b:-c
LABEL a=${b^^}
LABEL a=${b:1:2}
LABEL a=${b=c}
LABEL a=${{b}}
LABEL a=${b:-'c}
LABEL a="b
