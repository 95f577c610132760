# rule: from.name
FROM a AS 1b
#~ 11-12 bad stage name `1b`
#~ help: begin it with a letter, and use letters, digits, `-`, `_` and `.`
FROM a AS b/c
#~ 11-13 bad stage name `b/c`
#~ help: begin it with a letter, and use letters, digits, `-`, `_` and `.`
FROM a AS ${b}
#~ 11-14 bad stage name `${b}`
#~ help: begin it with a letter, and use letters, digits, `-`, `_` and `.`
FROM a AS é
#~ 11-12 bad stage name `é`
#~ help: begin it with a letter, and use letters, digits, `-`, `_` and `.`
