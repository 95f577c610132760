# limits of resources
ulimit -a
ulimit -n 1024
ulimit -c 0
nice -n 5 true
taskset -p $$
