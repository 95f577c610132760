# rule: stage.target
#: target tets
FROM alpine AS Dev
FROM alpine AS test
