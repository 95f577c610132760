# rule: context.named
#: context scratch=busybox
#: context context=busybox
FROM scratch
COPY a /
COPY --from=scratch a /
