# what a database left, after it was killed, is recovered
#: slow
#: prints again
bin=$(echo /usr/lib/postgresql/*/bin)
su postgres -c "$bin/pg_ctl -D /opt/database -o '-p 5555 -k /tmp' -w -l /tmp/postgres.log start"
su postgres -c "psql -h /tmp -p 5555 -Atc \"select 'again'\""
su postgres -c "$bin/pg_ctl -D /opt/database -w -m fast stop"
