# rule: healthcheck.command, healthcheck.times, healthcheck.retries
FROM alpine
SHELL ["/bin/bash", "-c"]
HEALTHCHECK --interval=1m30s --timeout=1.5s --start-period=2h --start-interval=500ms --retries=3 \
  CMD curl -f http://127.0.0.1/ || exit 1
