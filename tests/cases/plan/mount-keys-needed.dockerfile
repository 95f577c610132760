# rule: mount.keys, stage.unneeded
# What cannot be read of a mount is wrong where the stage is needed, and where its trigger fires.
FROM alpine AS unneeded
RUN --mount=targt=/x,from true
ONBUILD RUN --mount=idd=x true
FROM alpine AS second
ONBUILD RUN --mount=idd=x true
FROM second
RUN --mount=type=cache,target true
