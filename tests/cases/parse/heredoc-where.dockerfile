# rule: heredoc.where
FROM alpine
RUN <<E
run
E
COPY <<E /d
copy
E
ADD <<E /d
add
E
ONBUILD RUN --network=none <<E
trigger
E
CMD cat <<EOF
RUN ["cat", "<<EOF"]
