# rule: onbuild.text, lines.continued-end
FROM alpine
ONBUILD RUN make 	
ONBUILD COPY <<E /x 
body
E
ONBUILD   RUN make  \
  # a comment
   all  \
