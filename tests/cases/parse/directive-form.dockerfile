#   ESCAPE 	=  `  
# Syntax=docker/dockerfile:1 with more behind it
  # check=skip=all
# rule: directive.form, directive.syntax, directive.check
FROM alpine
RUN a `
  b
