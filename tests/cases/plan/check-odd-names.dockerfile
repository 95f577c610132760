# rule: arguments.legacy, expand.name
FROM scratch
LABEL "a" b
LABEL price=$5 pid=$$ é=$é
