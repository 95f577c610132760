# a package's file gives way, and alternatives are chosen
dpkg-divert --local --rename --add /usr/bin/less
test -e /usr/bin/less.distrib && test ! -e /usr/bin/less
dpkg-divert --local --rename --remove /usr/bin/less
update-alternatives --install /usr/local/bin/chosen chosen /usr/bin/less 10
test "$(readlink -f /usr/local/bin/chosen)" = "$(readlink -f /usr/bin/less)"
