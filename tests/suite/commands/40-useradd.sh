# users and groups by the system's tools
#: core
groupadd -g 2000 builders
useradd -m -u 2001 -g builders -s /bin/bash ann
test "$(id -u ann):$(id -gn ann)" = 2001:builders
test "$(stat -c %U:%G /home/ann)" = ann:builders
usermod -a -G adm ann
grep -qw adm <<< "$(id -nG ann)"
echo 'ann:secret' | chpasswd
grep -q ' P ' <<< "$(passwd -S ann)"
