# rule: heredoc.expand, heredoc.quoted
FROM alpine
ARG v=1
COPY <<expanded <<"quoted" <<\escaped /h/
$v ${v:-x} ${no:-"d"} \$v \n '$v' "$v"
expanded
$v \n
quoted
$v
escaped
