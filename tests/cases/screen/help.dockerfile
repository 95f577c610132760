#: --help
#: build --help
#: plan --help
#: ir --help
#: doctor --help
#: --version
FROM scratch
