# rule: heredoc.chomp
FROM alpine
COPY <<-EOF /file
	stripped $a
		twice
	
  blanks
	EOF
COPY <<EOF /file
	kept
EOF
