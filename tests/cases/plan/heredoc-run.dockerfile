# rule: heredoc.command, heredoc.script, heredoc.shell
FROM alpine
RUN <<-EOF
	echo one
	  echo two $HOME
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
RUN <<EOF cat
c
EOF
