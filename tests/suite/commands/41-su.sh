# another user by su
#: core
#: prints ann
su ann -c whoami
su - ann -c 'cd && test "$PWD" = /home/ann && touch mine'
test "$(stat -c %U /home/ann/mine)" = ann
