# rule: expand.word, expand.single, expand.double, expand.escape
FROM alpine
ARG a=A
LABEL brace=${n:-\}} quoted=${n:-"}"'}'} nested=${n:-${m:-$a}} escaped=\$a\\b\ c
LABEL single='$a \b "c"' double="$a \$a \b \\ \"'c'" joined=a"b"'c'\d
