# rule: expand.replace, expand.pattern
FROM alpine
ARG path=/a/b/a star=*a
LABEL first=${path/a/X} all=${path//a/X} slash=${path//\//-} longest=${path/\/*\//:} gone=${path//b/}
LABEL literal=${star/\*/x} question=${star//?/y} variable=${path/b/$star} group=${path//b/[$1]}
