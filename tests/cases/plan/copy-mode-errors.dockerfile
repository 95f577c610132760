# rule: copy.mode
FROM alpine
COPY --chmod=9 a b
COPY --chmod=10000 a b
COPY --chmod=u=rwz a b
ADD --chmod=rw a b
