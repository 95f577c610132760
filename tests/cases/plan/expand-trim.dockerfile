# rule: expand.trim, expand.pattern
FROM alpine
ARG path=/a/b/c.tar.gz star=a*b
LABEL prefix=${path#*/} longest=${path##*/} suffix=${path%.*} shortest=${path%%.*}
LABEL any=${path#?} none=${path#x} brackets=${path#[/]} star=${star#a\*} brace=${star%\}}
LABEL quoted=${path#'#'*/} twice=${path%"%".*} thrice=${path###*/}
ARG mark=#*/
LABEL brought=${path#$mark}
