# rule: from.image
ARG empty
FROM ${empty}
