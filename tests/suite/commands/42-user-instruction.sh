# a step of another user
#: core
#: user ann
#: prints ann:builders
echo "$(id -un):$(id -gn)"
touch "$HOME/own"
! touch /root/x 2>/dev/null
