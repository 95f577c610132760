# rule: from.needed
RUN make
#~ 1-3 `RUN` before the first `FROM`
#~ help: begin with `FROM` and the image to start from, or `FROM scratch`
