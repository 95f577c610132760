# what the step before left does not run in the next
test -z "$(pgrep -f 'sleep 86417')"
