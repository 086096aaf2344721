import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { softwareKey } from 'node-tss';
import { createAuthority, createKey, keyPem } from '../support/certificates.ts';
import { clientCertificate } from '../support/tls-identities.ts';

/** A worker that signs, and connects to a port that nobody listens on and to one that never answers, until its end. */
const worker = `
const { connect, softwareKey } = require('node-tss');
const { parentPort, workerData } = require('node:worker_threads');
const { pem, certificateChain, closedPort, silentPort } = workerData;
const key = softwareKey(pem);
const identity = { key, certificateChain };
const again = (work) => work().then(() => again(work), () => again(work));
again(() => key.sign(Buffer.alloc(32)));
for (const port of [closedPort, silentPort])
  again(() => connect({ host: '127.0.0.1', port, ca: certificateChain, identity, timeoutMs: 100 }));
parentPort.postMessage('busy');
`;

/** Starts and terminates such workers, each after a longer life. */
const child = `
const { Worker } = require('node:worker_threads');
const { once } = require('node:events');
const { worker, ...workerData } = JSON.parse(process.argv[1]);
(async () => {
  for (let life = 0; life < 20; life++) {
    const running = new Worker(worker, { eval: true, workerData });
    await once(running, 'message');
    await new Promise((resolve) => setTimeout(resolve, 30 + (life * 270) / 19));
    await running.terminate();
  }
  process.stdout.write('20 lives');
})();
`;

test('an environment that ends in the middle of signatures and handshakes does not take the process with it', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  const closed = createServer().listen(0, '127.0.0.1');
  await Promise.all([once(silent, 'listening'), once(closed, 'listening')]);
  const [silentPort, closedPort] = [silent, closed].map((server) => (server.address() as { port: number }).port);
  closed.close();
  t.after(() => silent.close());
  const pem = keyPem(createKey().privateKey);
  const certificateChain = clientCertificate(createAuthority('Test clients'), softwareKey(pem));
  const argument = JSON.stringify({ worker, pem, certificateChain, silentPort, closedPort });
  const running = spawn(process.execPath, ['-e', child, argument], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, complaints, [exitCode, signal]] = await Promise.all([
    text(running.stdout),
    text(running.stderr),
    once(running, 'exit'),
  ]);
  assert.deepEqual([exitCode, signal, said], [0, null, '20 lives'], complaints);
});
