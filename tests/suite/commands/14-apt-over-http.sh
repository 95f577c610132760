# apt fetches as its own user, over http
mkdir -p /srv/repository && cp /repository/Packages /srv/repository/
cp /repository/tzdata_*.deb /srv/repository/
(cd /srv/repository && exec python3 -m http.server --bind 127.0.0.1 8765 >/dev/null 2>&1) &
for _ in $(seq 100); do (: < /dev/tcp/127.0.0.1/8765) 2>/dev/null && break; sleep 0.1; done
echo 'deb [trusted=yes] http://127.0.0.1:8765 ./' > /tmp/sources.list
apt="apt-get -q -o Dir::Etc::sourcelist=/tmp/sources.list"
$apt update
$apt install -y --reinstall --no-install-recommends tzdata
kill $!
