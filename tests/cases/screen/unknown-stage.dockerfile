#: plan
#: plan --target nope
FROM alpine AS one
COPY --from=3 /a /b
