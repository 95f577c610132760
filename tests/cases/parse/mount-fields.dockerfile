# rule: mount.fields, mount.keys
FROM alpine
RUN --mount=type=cache,target=/c,sharing=locked,id=$id \
    --mount=type=bind,from=base,src=a,dst=/b,rw --mount=type=secret,id=s,required \
    --mount=TYPE=tmpfs,Destination=/t,size=64m,ro=false make
RUN --mount=type=bind,\"source=a,b\",target=/q true
RUN --mount=type=bind,'"source=a""b"',target=/q true
