# forgotten
#
# base is the first line.
#   And this is the second.

FROM alpine AS base
# about something else
RUN x
FROM base
