# rule: mount.ssh
FROM alpine
RUN --mount=type=ssh --mount=type=ssh,id=two,required=true x
RUN --mount=type=ssh,target=/agent,mode=0666,uid=1,gid=2 x
ENV SSH_AUTH_SOCK=/mine
RUN --mount=type=ssh x
