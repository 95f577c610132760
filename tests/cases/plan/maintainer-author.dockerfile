# rule: maintainer.author
FROM scratch
MAINTAINER Somebody <somebody@example.org>
MAINTAINER Another
