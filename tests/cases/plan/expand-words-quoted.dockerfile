# rule: expand.words
FROM alpine
ARG ports="80 81/udp"
EXPOSE 79 $ports 8$ports '9'0
EXPOSE "1${x:-2}${y:-3}" 1${x:-2}4
