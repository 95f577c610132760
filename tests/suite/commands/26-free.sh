# memory and load
free -m
uptime
nproc
vmstat
