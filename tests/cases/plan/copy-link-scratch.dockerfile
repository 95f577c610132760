# rule: copy.link
FROM scratch AS base
COPY --link a /a
COPY --link b /b
FROM base
COPY --link --from=base /a /c
RUN ["/a"]
