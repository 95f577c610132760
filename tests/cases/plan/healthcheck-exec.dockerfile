# rule: healthcheck.command, healthcheck.times, flags.value
FROM alpine
HEALTHCHECK --interval=0 --timeout=0s --retries= cmd ["curl", "-f"]
