FROM alpine
# check=skip=UndefinedVar
# check=skip=StageNameCasing
#~ 1-28 warning: only the first `check` above an instruction is read
#~ help: put both into one, with commas or a `;`
COPY $x /
# check=skip=all
#~ 1-16 warning: this `check` stands above no instruction
#~ help: put it directly above the instruction that it is for
#
COPY $y /
# check=error
#~ 1-13 warning: this `check` stands above no instruction
#~ help: put it directly above the instruction that it is for
