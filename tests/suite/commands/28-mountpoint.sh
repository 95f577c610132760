# what is a mount and what is none
mountpoint /proc
! mountpoint /etc
stat -f -c %T /proc | grep -x proc
