FROM alpine
COPY <<robots.txt <<"raw" plain /web/
allow $USER ${x:-"quotes" 'stay'} \$USER \n
robots.txt
$USER \n
raw
ADD <<-EOF /file
	stripped $a
		twice
  blanks
	EOF
COPY << a /empty
a
