# rule: copy.link
FROM alpine
COPY --link a /a
ADD --link a /a
COPY --link --chown=1 a /a
COPY --link --chmod=0644 a /a
COPY --link=false a /a
