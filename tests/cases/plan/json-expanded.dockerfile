# rule: json.expanded
FROM alpine
ENV d=/data
COPY ["$d/a b", "${d}/"]
VOLUME ["$d", "'/x'"]
CMD ["$d"]
