# rule: flags.place, flags.end
FROM alpine
RUN --network=none cmd --network=host
COPY a --link /b
RUN -- --not-a-flag
RUN 	 --network=none \
  --security=insecure 	 cmd
