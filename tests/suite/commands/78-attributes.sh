# attributes of files
touch /var/tmp/attributes
setfattr -n user.word -v value /var/tmp/attributes
getfattr --only-values -n user.word /var/tmp/attributes | grep -x value
