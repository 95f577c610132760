# rule: scope.arg, scope.default
#: build-arg given=G
#: build-arg broken=fine
ARG global=1
ARG overridden=2
FROM alpine
LABEL before=[$global]
ARG global overridden=3 given=4 own=$given unset broken="${x:?never read}"
LABEL global=$global overridden=$overridden given=$given own=$own unset=${unset-none}
