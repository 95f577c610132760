# a table for cron, and the daemon itself
#: prints * * * * * true
echo '* * * * * true' | crontab -
crontab -l
cron
pgrep -x cron
