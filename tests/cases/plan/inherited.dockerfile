# rule: scope.image, scope.stage, entrypoint.set
#: explain
# What a base image's config brings, and what a stage that continues a stage keeps.
#: image base {"architecture":"amd64","os":"linux","created":"2020-01-01T00:00:00Z","config":{"Env":["PATH=/p","A=1"],"Cmd":["c"],"User":"1000:1000","WorkingDir":"srv","Shell":["/bin/bash","-ec"],"Labels":{"l":"1"},"Hostname":"h"},"history":[{"created_by":"base layer"}],"rootfs":{"type":"layers","diff_ids":["sha256:0000000000000000000000000000000000000000000000000000000000000000"]}}
FROM base AS one
RUN in bash
WORKDIR sub
ENV A=2
FROM one
RUN again
ENTRYPOINT entry
LABEL l=2 m=3
