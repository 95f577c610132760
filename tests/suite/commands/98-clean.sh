# what people remove at the end
apt-get -q clean
rm -rf /var/lib/apt/lists/* /repository /suite/10-* /tmp/* /var/tmp/*
test ! -e /repository
