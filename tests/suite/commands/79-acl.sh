# access control lists
mkdir -p /var/tmp/acl
setfacl -m u:nobody:rwx -d -m g:adm:rx /var/tmp/acl
getfacl -c /var/tmp/acl | grep -x user:nobody:rwx
getfacl -c /var/tmp/acl | grep -x default:group:adm:r-x
