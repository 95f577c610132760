# packages whose scripts make users, directories and certificates
#: leaves /usr/sbin/sshd
#: leaves /etc/ssh/ssh_host_ed25519_key
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y install --no-install-recommends openssh-server cron sudo nginx-light redis-server \
    rsyslog man-db ca-certificates
