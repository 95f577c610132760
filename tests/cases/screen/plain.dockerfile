#: build --no-push --tar-path image.tar --kaniko-dir @work --build-context base=oci-layout://@base --progress plain
FROM base AS first
USER nobody
FROM first
RUN cat /etc/passwd
WORKDIR /work
