# capabilities of a file
#: core
cp /usr/bin/python3 /usr/local/bin/python-low
setcap cap_net_bind_service=+ep /usr/local/bin/python-low
grep -q cap_net_bind_service=ep <<< "$(getcap /usr/local/bin/python-low)"
cp --preserve=all /usr/local/bin/python-low /usr/local/bin/python-copy
grep -q cap_net_bind_service=ep <<< "$(getcap /usr/local/bin/python-copy)"
