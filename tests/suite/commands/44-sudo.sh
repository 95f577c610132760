# root becomes another by sudo
#: prints ann
sudo -u ann whoami
