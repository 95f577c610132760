# rule: mount.cache, mount.cache-id, mount.sharing
FROM busybox AS seed
FROM alpine
WORKDIR /w
RUN --mount=type=cache,target=x/../y --mount=type=cache,target=/z/,sharing=Private \
    --mount=type=cache,target=/id,id=given,sharing=locked,ro x
RUN --mount=type=cache,target=/seed,from=seed,source=dir,mode=0700,uid=1,gid=2,sharing=shared x
# Made for its mode, so that nothing of the seed is seen.
RUN --mount=type=cache,target=/made,from=seed,mode=0700 x
