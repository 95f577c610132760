# rule: add.git
FROM scratch
ADD --unpack https://example.org/r.git local.tar /d/
ADD --unpack=false https://example.org/r.git /d/
