# rule: lines.blank
FROM alpine
RUN echo goes on \

	
RUN is an argument
RUN ends
