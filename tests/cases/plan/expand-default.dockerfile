# rule: expand.default, expand.alternate
FROM alpine
ARG set=S empty=
LABEL set=${set:-w}${set-w} empty=${empty:-w}[${empty-w}] unset=${none:-w}${none-w}
LABEL set2=${set:+w}${set+w} empty2=[${empty:+w}]${empty+w} unset2=[${none:+w}${none+w}]
