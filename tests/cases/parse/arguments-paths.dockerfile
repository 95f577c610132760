# rule: arguments.paths
FROM alpine
COPY "x y" z\ w /d
ADD a	b c
VOLUME "/a b"
VOLUME [a b]
