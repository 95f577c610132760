# node and its threads
#: slow
#: prints 42 worker
cat > /tmp/worker.js <<'X'
const { Worker, isMainThread, parentPort } = require('worker_threads');
if (isMainThread) new Worker(__filename).on('message', m => console.log(m));
else parentPort.postMessage(6 * 7 + ' worker');
X
node /tmp/worker.js
