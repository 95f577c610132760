# check=skip=StageNameCase,all;skip=FromAsCasing;experimental=X;error=true more
# What has no effect is told; the third option takes in what is behind it.
FROM scratch as B
# check=skip=,CopyIgnoredFile;error=true
COPY x /
# check that this is a mere remark: check=it=is
# check=this=too
COPY $y /
