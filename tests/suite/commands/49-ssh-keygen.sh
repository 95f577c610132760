# keys, and where they are trusted
mkdir -p -m 700 /root/.ssh
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_spot
test "$(stat -c %a /root/.ssh/id_spot)" = 600
ssh-keygen -l -f /root/.ssh/id_spot.pub
