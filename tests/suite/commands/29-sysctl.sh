# settings of the kernel, to read
sysctl -n kernel.ostype | grep -x Linux
sysctl -n kernel.hostname
! sysctl -w kernel.sysrq=1 2>/dev/null
