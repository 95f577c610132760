# rule: heredoc.file, heredoc.files-last
FROM alpine
COPY <<one plain <<sub/two /h/
1
one
2
sub/two
COPY <<same <<same /h/
first
same
second
same
ADD <<empty /e
empty
