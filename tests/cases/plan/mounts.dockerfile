# rule: mount.bind, mount.cache, mount.tmpfs, mount.secret, mount.ssh
#: explain
#: build-arg BUILDKIT_CACHE_MOUNT_NS=ns
FROM busybox AS tools
FROM alpine
ARG type=cache
WORKDIR /w
RUN --mount=target=ctx,rw --mount=from=tools,src=bin,dst=/tools,ro all
RUN --mount=type=$type,target=x,sharing=locked --mount=type=cache,dst=/y,id=z,from=tools,source=seed,mode=700,uid=1,gid=2 c
RUN --mount=type=tmpfs,dst=/t,size=1.5g --mount=type=secret,id=a/b --mount=type=secret,id=k,env=KEY --mount=type=secret,target=/s/t,required,mode=0440 s
RUN --mount=type=ssh --mount=type=ssh,id=two,required=true ssh
