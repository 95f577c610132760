# rule: mount.keys, stage.unneeded
# What cannot be read of a mount is wrong where the stage is needed.
FROM alpine AS unneeded
RUN --mount=targt=/x,from true
FROM alpine AS second
RUN --mount=type=bind,targt=/x,foo=1 true
RUN --mount=type=cache,target true
RUN --mount=type=tmpfs,,target=/x true
RUN --mount=type=cache,Target=/x,z,relabel=shared true
ONBUILD RUN --mount=idd=x true
FROM second
