# rule: expand.name, expand.dollar, expand.single, expand.double, expand.escape, expand.word
FROM "alp"'ine':${TAG:-${DEFAULT-3}}
ENV plain=$a.b braces=${a}b positional=$1x digits=$12 special=$@y name=$é_1 dollar=$. end=$
ENV single='$a \$b' double="$a \$b \c 'd'" escaped=\$a\ b
ENV nested=${a:-"}"'}'\}${b+$c}d}
