#: build --no-push --kaniko-dir @work --build-context base=oci-layout://@base --progress plain
FROM base
RUN echo one && echo two
RUN echo "cannot go on" && \
    exit 42
