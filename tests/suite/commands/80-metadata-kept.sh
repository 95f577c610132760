# attributes and lists are there in the next step
getfattr --only-values -n user.word /var/tmp/attributes | grep -x value
getfacl -c /var/tmp/acl | grep -x user:nobody:rwx
grep -q cap_net_bind_service <<< "$(getcap /usr/local/bin/python-low)"
