#: --help
#: build --help
#: plan --help
#: ir --help
#: --version
FROM scratch
