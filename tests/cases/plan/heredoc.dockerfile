FROM alpine
RUN <<-EOF
	echo one
	  echo two
EOF
RUN <<"run.py"
#!/usr/bin/env python3
print($x)
run.py
RUN python3 <<A && cat <<-B
a
A
	b
	B
