# a step ends though it leaves something running
#: core
sleep 86417 &
disown
(setsid sleep 86417 >/dev/null 2>&1 &)
