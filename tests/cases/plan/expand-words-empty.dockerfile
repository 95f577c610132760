# rule: expand.words
FROM alpine
EXPOSE "" ''"$none" 80 "$none"81 $none
EXPOSE "$none"
