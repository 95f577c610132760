#: build
#: build --no-such-flag
#: build --no-push --context missing
#: build --no-push --dockerfile missing
#: build --no-push --context git://example.com/x
#: build --no-push --compression-level 77
#: build --no-push --secret nothing
#: build --no-push --build-context name
#: build --destination library/UPPER
#: build --no-push --custom-platform ?
#: plan --explain --format json
FROM scratch
