# rule: from.arguments
FROM
#~ 1-4 `FROM` needs an image
#~ help: write it as in `FROM alpine:3`
FROM a b
#~ 8-8 `FROM` takes an image and, behind `AS`, a name
#~ help: write `AS` before the name of the stage
FROM a AS b c
#~ 11-13 `FROM` takes an image and, behind `AS`, a name
#~ help: give the stage one name, without blanks
FROM a AS
#~ 8-9 `FROM` takes an image and, behind `AS`, a name
#~ help: write the name of the stage behind `AS`
FROM a:${TAG:?say which}
#~ 6-24 `FROM` takes an image and, behind `AS`, a name
#~ help: write the `${…}` without blanks: they end a word
