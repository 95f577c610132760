# rule: arguments.names
FROM alpine
ARG one two=2 three="3 4" four=
