#: plan --build-context sources=github.com/o/r#main:docs
FROM scratch
COPY --from=sources / /
ADD https://example.com/r.git /r
