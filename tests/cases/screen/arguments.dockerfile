#: build
#: build --no-such-flag
#: build --no-push --context missing
#: build --no-push --dockerfile missing
#: build --no-push --context git://example.com/x
#: build --no-push --compression-level 77
#: plan --build-arg BUILDKIT_SYNTAX=example.com/other:1
#: build --no-push --secret nothing
#: build --no-push --secret id=a,type=vault
#: build --no-push --secret id=a,env=NOT_SET
#: build --no-push --ssh default
#: build --no-push --ssh default=missing
#: build --no-push --ssh default=Dockerfile
#: build --no-push --ulimit nofile=2:1
#: build --no-push --shm-size many
#: build --no-push --build-context name
#: build --no-push --build-context alpine::linux/arm64=docker-image://alpine
#: build --no-push --build-context name=s3://bucket/key
#: build --no-push --build-context context=https://example.com/a.tar
#: build --no-push --build-context name=https://example.com/r.git?ref=a&tag=b
#: build --destination library/UPPER
#: build --no-push --custom-platform ?
#: plan --explain --format json
#: build --no-push --ignore-path /var/../
#: build --no-push --ignore-path /var/[
#: build --no-push --snapshot-mode fast
FROM scratch
