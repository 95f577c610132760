# systemd, whose scripts run systemd-sysusers and systemd-tmpfiles
#: core
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y install --no-install-recommends systemd systemd-sysv dbus
systemd-sysusers
systemd-tmpfiles --create
