# a key with its agent, and a signature
export GNUPGHOME=/tmp/gnupg
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key spot@example.com default default never
echo text > /tmp/text
gpg --batch --yes --sign /tmp/text
gpg --verify /tmp/text.gpg
gpgconf --kill gpg-agent
