# rule: lines.empty
#~ 1-1 the file holds no instruction
#~ help: begin with `FROM` and the image to start from, or `FROM scratch`

  # nothing but comments
