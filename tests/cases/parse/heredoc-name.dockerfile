# rule: heredoc.name, heredoc.quoted
FROM alpine
COPY <<plain <<"in double" <<'sin'gle <<\back <<$v <<a/b);c /d
plain
in double
single
back
$v
a/b);c
