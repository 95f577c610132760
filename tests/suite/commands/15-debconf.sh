# questions of packages, answered before they are asked
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y install --no-install-recommends tzdata
echo 'tzdata tzdata/Areas select Europe' | debconf-set-selections
echo 'tzdata tzdata/Zones/Europe select Vienna' | debconf-set-selections
rm -f /etc/timezone /etc/localtime
dpkg-reconfigure tzdata
grep -x Europe/Vienna /etc/timezone
