FROM alpine
RUN <<EOF
# no comment
FROM nowhere

echo $HOME \
  and more
EOF
RUN <<-'one two' cat 3<<"THREE" - <<four | tee x \
  && echo end
	tabs $stay
	one two
three
THREE
number four
four
# A word in quotes opens nothing, nor do these.
RUN echo "<<EOF" a<<EOF <<<EOF $((1<<2))
RUN ["cat", "<<EOF"]
CMD cat <<EOF
# A blank may stand before the name.
RUN cat << \EOF
x
EOF
ONBUILD RUN --network=none <<E
y
E
