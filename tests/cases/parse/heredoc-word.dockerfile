# rule: heredoc.word, heredoc.order
FROM alpine
RUN 3<<THREE cat <<-two - << one | tee <<- 'four' x \
  && echo end
3
THREE
2
	two
1
one
4
four
