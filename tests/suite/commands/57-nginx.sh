# a web server in the background, which is left running
#: prints from nginx
echo 'from nginx' > /var/www/html/index.html
nginx -t
nginx
for _ in $(seq 100); do (: < /dev/tcp/127.0.0.1/80) 2>/dev/null && break; sleep 0.1; done
python3 -c 'import urllib.request as u; print(u.urlopen("http://127.0.0.1/index.html").read().decode(), end="")'
