# rule: copy.sources, copy.owner, copy.mode, copy.exclude, copy.link, copy.parents
#: explain
#: ignore target
#: ignore **/*.tmp
FROM alpine
WORKDIR /w/
COPY ../x ./y /z a/../b d/
COPY --chown=app:app --chmod=u=rwX,go=rX --exclude=*.md src .
COPY --chmod=0644 --link a /a
COPY --link a /a
COPY --parents a/./b/c d/e /p/
COPY --from=nginx:1 /etc/nginx /n
COPY --from=scratch / /
COPY <<one <<'two' plain /h/
$UNSET and \$HOME
one
$UNSET
two
