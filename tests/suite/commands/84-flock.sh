# locks
flock -n /var/tmp/lock true
flock /var/tmp/lock sh -c '! flock -n /var/tmp/lock true'
python3 -c 'import fcntl; f = open("/var/tmp/lock", "w"); fcntl.lockf(f, fcntl.LOCK_EX)'
