# rule: onbuild.late
#: image parent {"architecture":"amd64","os":"linux","config":{"OnBuild":["RNU make","FROM alpine","RUN a\nRUN b"]}}
FROM alpine
FROM parent
