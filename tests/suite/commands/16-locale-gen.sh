# a locale is compiled, and used
#: prints UTF-8
#: leaves /usr/lib/locale/locale-archive
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y install --no-install-recommends locales
echo 'de_AT.UTF-8 UTF-8' > /etc/locale.gen
locale-gen
LC_ALL=de_AT.UTF-8 locale charmap
