# node and npm, hundreds of small packages
#: slow
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y install --no-install-recommends nodejs npm
