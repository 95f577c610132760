FROM alpine
RUN --mount=type=bind cmd
RUN --mount=type=bind,target=/ cmd
RUN --mount=type=bind,target=/x,size=1 cmd
RUN --mount=type=secret,id=a,source=b cmd
RUN --mount=type=secret,id=a,sharing=shared cmd
RUN --mount=type=cache,target=/x,sharing=some cmd
RUN --mount=type=tmpfs,target=/x,mode=1 cmd
RUN --mount=type=cache,target=/x,uid=-1 cmd
RUN --mount=required,type=secret,id=a cmd
RUN --mount=type=ssh,source=a cmd
RUN --device=gpu,required cmd
