# rule: copy.sources, copy.destination
FROM alpine
WORKDIR /w/
COPY ../x ./y /z a/../b d/
COPY *.md dir/ dir/. .
COPY a b
COPY a b no-directory
COPY a /b/./
