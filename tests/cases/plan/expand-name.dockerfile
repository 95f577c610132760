# rule: expand.name, expand.dollar
FROM alpine
ARG a=A a_1=B é=C
LABEL plain=$a.b braces=${a}b long=$a_1 letters=$é unset=[$none] positional=[$1x] special=[$@y] \
      dollar=$. end=a$ two=$a$a
