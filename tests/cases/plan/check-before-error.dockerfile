# Warnings come also where the file cannot be planned.
FROM scratch as B
FROM $nope
