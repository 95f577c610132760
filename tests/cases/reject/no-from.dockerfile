# rule: from.needed
ARG a
ARG b
#~ 1-5 the file has no `FROM`
#~ help: begin with `FROM` and the image to start from, or `FROM scratch`
