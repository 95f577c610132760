# rule: copy.link
FROM alpine
ARG WHO=app
COPY --link --chown=$WHO:0 a /a
ADD --link --chown=:staff a /a
COPY --link --chown=root:root a /a
COPY --link --chmod=644 --chown=app a /a
