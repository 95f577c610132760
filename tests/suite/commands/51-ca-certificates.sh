# a certificate authority of one's own
#: leaves /etc/ssl/certs/spot.pem
openssl req -x509 -newkey rsa:2048 -nodes -keyout /tmp/spot.key -out /tmp/spot.crt \
    -days 30 -subj /CN=spot 2>/dev/null
install -D -m 644 /tmp/spot.crt /usr/local/share/ca-certificates/spot.crt
update-ca-certificates
openssl verify -CApath /etc/ssl/certs /tmp/spot.crt
