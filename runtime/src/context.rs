//! Build contexts: local directories behind a `.dockerignore`, files from URLs, files from the Dockerfile.
