# check=skip=StageNameCasing; error=true
FROM scratch as B
