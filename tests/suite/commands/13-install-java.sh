# a Java kit, whose scripts run it
#: slow
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y install --no-install-recommends openjdk-17-jdk-headless
