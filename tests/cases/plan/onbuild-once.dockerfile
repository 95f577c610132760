# rule: onbuild.once, onbuild.fires
#: image parent {"architecture":"amd64","os":"linux","config":{"OnBuild":["RUN first","RUN second"]}}
FROM parent AS child
ONBUILD RUN third
FROM child AS grandchild
FROM grandchild
