# rule: more.from-case
FROM a AS Base
FROM BASE
RUN cmd
