#: ir --format text
#
# What a program says is kept, how it was laid out is not.
from --platform=$BUILDPLATFORM  rust:1   as build
env  PATH="/opt/bin:$PATH"   A=b\ c
Run --network=none \
    # a comment
    --mount=target=/src,type=bind \
    --mount="type=cache,target=/cargo home" \
    cargo build && \

    cargo test

# The image that is shipped.
FROM debian
LABEL description A tool of some kind
COPY --link --from=build --chown=1 /src/tool /usr/bin/
COPY <<-EOF <<'other file' /etc/
	name = $NAME
	EOF
$HOME
other file
EXPOSE 443 80
HEALTHCHECK --timeout=0.5s --interval=90s CMD ["tool" , "check"]
VOLUME ["/data", "/a b"]
ONBUILD run   make
CMD tool
