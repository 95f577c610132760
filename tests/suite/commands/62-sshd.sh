# a login over ssh
#: prints logged in
mkdir -p /run/sshd /root/.ssh
cat /root/.ssh/id_spot.pub >> /root/.ssh/authorized_keys
/usr/sbin/sshd -p 2222
# It becomes a daemon before it listens.
ssh -q -o ConnectionAttempts=30 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i /root/.ssh/id_spot -p 2222 127.0.0.1 echo logged in
