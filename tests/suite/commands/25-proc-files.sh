# what programs read below /proc
#: core
#: prints cat
grep -q MemTotal /proc/meminfo
grep -q processor /proc/cpuinfo
read -r _ _ </proc/uptime
test -n "$(cat /proc/sys/kernel/ostype)"
test -d /proc/sys/net
mountpoint /proc
cat /proc/self/comm
test "$(readlink /proc/self/exe)" != ""
test "$(readlink /proc/$$/cwd)" = "$PWD"
test -e /proc/self/task/1 || test -d /proc/self/task
cat /proc/self/environ | tr '\0' '\n' | grep ^PATH=
