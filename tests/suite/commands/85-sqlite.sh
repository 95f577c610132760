# a database in a file, with its log in memory that processes share
#: prints 3
#: prints wal
sqlite3 /var/tmp/spot.db 'pragma journal_mode=wal; create table t(x); insert into t values(1),(2),(3);'
sqlite3 /var/tmp/spot.db 'select count(*) from t;'
