# rule: argument.hostname
#: build-arg BUILDKIT_SANDBOX_HOSTNAME=two words
FROM scratch
