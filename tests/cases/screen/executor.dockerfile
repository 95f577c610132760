#: executor --context dir://@directory --dockerfile Dockerfile --no-push=true --tar-path image.tar --kaniko-dir @work --build-context base=oci-layout://@base --progress plain
#: executor --no-push
#: executor --version
FROM base
RUN echo one
