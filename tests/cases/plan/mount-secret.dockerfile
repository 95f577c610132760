# rule: mount.secret, mount.secret-env
FROM alpine
WORKDIR /w
RUN --mount=type=secret,id=a/b --mount=type=secret,source=c --mount=type=secret,target=d/e x
RUN --mount=type=secret,id=f,target=/g,required,mode=0440,uid=1,gid=2 x
RUN --mount=type=secret,id=h,env=H --mount=type=secret,id=i,env=I,target=/i x
