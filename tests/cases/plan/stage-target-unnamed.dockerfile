# rule: stage.target
#: target 2
FROM alpine
FROM alpine
