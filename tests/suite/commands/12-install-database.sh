# postgresql, whose scripts make a cluster as another user
#: slow
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y install --no-install-recommends postgresql
test -s /var/lib/postgresql/15/main/PG_VERSION
