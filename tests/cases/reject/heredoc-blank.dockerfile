# rule: heredoc.blank
FROM alpine
COPY a <<E /b
#~ 8-10 the blank beside this heredoc is neither a space nor a tab
#~ help: write a space instead
E
