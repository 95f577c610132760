# rule: onbuild.fires, onbuild.dependencies, onbuild.once
#: explain
# Triggers of a base image, then of a base stage; they bring dependencies and are not inherited.
#: image parent {"architecture":"amd64","os":"linux","config":{"Env":["PATH=/p"],"OnBuild":["COPY . /app","ARG mode=prod","RUN make $mode"]}}
FROM parent AS child
ENV x=1
ONBUILD ENV y=$x
ONBUILD COPY --from=files f /
FROM debian AS files
FROM child AS grandchild
ENV z=$y
FROM grandchild
RUN last
