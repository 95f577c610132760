# a database is made, asked, and left running
#: slow
#: prints 42
bin=$(echo /usr/lib/postgresql/*/bin)
install -d -o postgres /opt/database
su postgres -c "$bin/initdb -D /opt/database >/dev/null"
su postgres -c "$bin/pg_ctl -D /opt/database -o '-p 5555 -k /tmp' -w -l /tmp/postgres.log start"
su postgres -c "psql -h /tmp -p 5555 -Atc 'select 6 * 7'"
