# Check=skip=StageNameCasing,JSONArgsRecommended;error=true

# BASE is what all stages start from.
# check=experimental=all
ARG BASE=alpine
# check=skip=UndefinedVar, behind the blank is nothing
FROM $BASE AS Build

# check=skip=all
# A comment between the two.
COPY $x /
from build as run
ARG --flag x
RUN echo \

  goes on
