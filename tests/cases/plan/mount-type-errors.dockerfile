# rule: mount.type, mount.type-first
FROM alpine
ARG type=chache
RUN --mount=type=volume,target=/x a
RUN --mount=type=$type,target=/x a
RUN --mount=type=secert,id=x a
RUN --mount=type=,target=/x a
RUN --mount=size=1,type=tmpfs,target=/x a
RUN --mount=required,type=secret,id=a a
RUN --mount=type=cache,target=/x,required a
RUN --mount=type=bind,target=/x,size=1 a
