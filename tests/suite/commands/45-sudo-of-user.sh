# an ordinary user becomes root by sudo
#: prints root
echo 'ann ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ann
chmod 440 /etc/sudoers.d/ann
su ann -c 'sudo whoami'
