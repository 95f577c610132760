# a server and a client on the loopback interface
#: prints served
mkdir -p /srv/www && echo served > /srv/www/index.html
(cd /srv/www && exec python3 -m http.server --bind 127.0.0.1 8766 >/dev/null 2>&1) &
for _ in $(seq 100); do (: < /dev/tcp/127.0.0.1/8766) 2>/dev/null && break; sleep 0.1; done
python3 -c 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:8766/").read().decode(), end="")'
getent hosts localhost
kill $!
