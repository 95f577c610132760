FROM "alp"'ine':${TAG:-${DEFAULT-3}}
ENV plain=$a.b braces=${a}b positional=$1x special=$@y dollar=$. \
    single='$a \$b' double="$a \$b \c 'd'" escaped=\$a\ b \
    unset=${a-w} null=${a:-w} set=${a+w} not_null=${a:+w} \
    required="${a?no $b}" not_empty=${a:?"no b"} \
    prefix=${a#*\**} longest_prefix=${a##?} suffix=${a%/*} longest_suffix=${a%%'}'*} \
    first=${a/b\/c/d} all=${a//$b/} empty=
# These are errors only where they are expanded.
ENV no_name=${} unknown=${a^^} open=${a:-b
ENV quote=${a:-'}
ENV nested=${a:-${b:-${}}} double="d
WORKDIR ${a}/"b c"/d e
# Quotes do not hold these together.
EXPOSE 80 ${ports} "1 2"
