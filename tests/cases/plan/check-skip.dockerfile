# check=skip=StageNameCasing,UndefinedVar;error=false
FROM scratch as B
COPY $x a /b
