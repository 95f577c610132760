# rule: user.set
FROM alpine
USER app:staff
RUN as app
COPY a /a
USER 0
RUN as root
