# check=experimental=InvalidDefinitionDescription
# This is about something else.
ARG VERSION=1
# VERSION_2 says which one.
ARG VERSION_2=2
# It builds.
FROM scratch AS build
# check=skip=InvalidDefinitionDescription
# Excused.
ARG a
# b and c are two.
ARG b c
# Neither is described.
ARG b c
