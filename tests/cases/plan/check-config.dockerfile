#: image alpine {"os":"linux","architecture":"amd64","config": {}}
#: image shell {"os":"linux","architecture":"amd64","config": {"Shell": ["/bin/bash", "-c"]}}
# What configures the image: forms, repetitions, names, ports.
FROM shell AS shell
CMD bash is meant
FROM alpine AS base
MAINTAINER someone
ENV LEGACY a b "c"
LABEL legacy value
ENV API_KEY=1 PUBLIC_KEY=1 KEY_FILE=1 fine=1
ARG git_auth_token
CMD one
CMD ["two"]
HEALTHCHECK CMD true
HEALTHCHECK NONE
EXPOSE 80 86/TCP 1:2 127.0.0.1:3:4
WORKDIR relative
WORKDIR again
FROM base
WORKDIR below
CMD ["own"]
SHELL ["/bin/sh", "-c"]
ENTRYPOINT sh is meant
COPY --from=shell /a /
