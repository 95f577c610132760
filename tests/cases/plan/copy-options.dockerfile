# rule: copy.owner, copy.mode, copy.exclude
FROM alpine
COPY --chown=app:app --chmod=u=rwX,go=rX --exclude=*.md --exclude=!keep.md src .
COPY --chown=1000 --chmod=07777 a b
COPY --chown=:10 a b
USER someone
COPY still roots
