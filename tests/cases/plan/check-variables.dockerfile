#: image alpine {"os":"linux","architecture":"amd64","config": {"Env": ["prefix=/usr", "PATH=/bin"]}}
# A variable of the base image, declared ones, and those that nothing sets.
FROM alpine AS base
ARG declared
COPY $prefix/a ${declared}/b $prefx/c /d/
RUN --mount=type=cache,target=/c$cache echo $ignored
COPY <<ONE <<'TWO' $prefix/
$one $one
ONE
$two
TWO
FROM base
ARG default=${unset:-x}
ENV "$declared$unset"=1 a=$default b=${nested:-${inner}} PASSWORD=x $prefix$KEY=1
# check=skip=UndefinedVar
LABEL quiet=$unset
