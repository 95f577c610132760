# rule: workdir.join
FROM scratch
ARG none=
WORKDIR $none
WORKDIR /a/
WORKDIR $none
WORKDIR b
