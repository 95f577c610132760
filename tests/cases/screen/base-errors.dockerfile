#: build --no-push --kaniko-dir @work --build-context base=oci-layout://@base --custom-platform linux/s390x
#: build --no-push --kaniko-dir @work --build-context base=oci-layout://@work
#: build --no-push --kaniko-dir @work --build-context base=oci-layout://@base:nope
FROM base
