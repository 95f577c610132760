FROM alpine
ENV a=b c="d e" f='g h' i=j\ k "l m"=n
ENV legacy value with  "blanks" and=signs
LABEL k v
LABEL a.b="c" 'd e'=f \
      g=h=i
ARG one two=2 three="3 4" four=
ARG a=
