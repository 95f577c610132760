# escape=`
# rule: directive.escape
FROM registry.example/windows/nanoserver:ltsc2022
COPY c:\a\ d:\b\ `
  c:\target\
ENV path=c:\x` y\$z b=`$literal c="`"quoted`""
COPY --from=a` b x y
RUN <<EOF
backslash \
not a continuation
EOF
COPY <<EOF /
\$literal `$variable
EOF
