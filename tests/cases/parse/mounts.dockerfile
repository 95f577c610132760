FROM alpine
RUN --mount=type=cache,target=/c,sharing=locked,id=$id \
    --mount=type=bind,from=base,src=a,dst=/b,rw --mount=type=secret,id=s,required \
    --mount=TYPE=tmpfs,destination=/t,size=64m,ro=false \
    --mount=type=bind,target=/x,z --mount=type=ssh \
    make
RUN --mount=type=bind,\"source=a,b\",target=/q true
