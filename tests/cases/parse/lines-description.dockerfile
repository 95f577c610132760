# forgotten
#
# rule: lines.description
#   And this is the second line.

FROM alpine AS base
# about something else
RUN x
FROM base
