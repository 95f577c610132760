# everything there is, by find
test "$(find / -xdev -type f -newermt 2001-01-01 | wc -l)" -gt 10000
