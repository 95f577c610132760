# rule: expand.required
FROM alpine
ARG set=S empty=
LABEL fine=${set:?w}${empty?w}
LABEL a=${none?}
LABEL b="${none:?say ${set}}"
LABEL c=${empty:?}
