# escape=`
FROM alpine
RUN no newline at the end