# rule: onbuild.dependencies
#: image parent {"architecture":"amd64","os":"linux","config":{"OnBuild":["COPY --from=files /f /","RUN --mount=from=busybox,target=/m make"]}}
FROM debian AS files
FROM parent
