# rule: lines.lone-escape
FROM alpine
\
RUN echo one
	\ 
\
RUN echo two
