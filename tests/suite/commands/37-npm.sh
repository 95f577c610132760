# a package of node, installed from a directory, with its script
#: slow
#: prints from a package
#: leaves /src/node/node_modules/.package-lock.json
mkdir -p /src/node/parts/word && cd /src/node
echo '{"name":"word","version":"1.0.0","main":"i.js","scripts":{"postinstall":"node -e 0"}}' > parts/word/package.json
echo 'module.exports = "from a package"' > parts/word/i.js
(cd parts && npm --silent pack ./word >/dev/null)
echo '{"name":"app","version":"1.0.0","dependencies":{"word":"file:parts/word-1.0.0.tgz"}}' > package.json
npm --no-audit --no-fund --no-update-notifier install
node -e 'console.log(require("word"))'
