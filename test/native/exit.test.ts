import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createAuthority } from '../support/certificates.ts';
import { clientCertificate } from '../support/tls-identities.ts';
import { openTestTpm, transientHandles } from '../support/tpm-fixture.ts';

/** A process that has its key in the TPM, ready for a handshake whose server never answers, and then does `last`. */
const child = `
const { connect, openTpm } = require('node-tss');
const { tcti, pem, certificateChain, port, last } = JSON.parse(process.argv[1]);
(async () => {
  const tpm = await openTpm({ tcti });
  const key = await tpm.loadKey(pem);
  connect({ host: '127.0.0.1', port, ca: certificateChain, identity: { key, certificateChain } }).catch(() => {});
  await key.sign(Buffer.alloc(32));
  if (last === 'signal') process.kill(process.pid, 'SIGKILL');
  if (last === 'throw') setImmediate(() => { throw new Error('the end'); });
  if (last === 'exit') process.exit(3);
})();
`;

async function handlesAfter(context: TestContext, last: 'exit' | 'throw' | 'signal'): Promise<number> {
  const { tpm, emulator } = await openTestTpm(context);
  const pem = await tpm.createKey();
  const key = await tpm.loadKey(pem);
  const certificateChain = clientCertificate(createAuthority('Test clients'), key);
  await tpm.close();
  const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  context.after(() => silent.close());
  const { port } = silent.address() as { port: number };
  const argument = JSON.stringify({ tcti: emulator.tcti, pem, certificateChain, port, last });
  const { exitCode } = await run(['-e', child, argument]);
  assert.equal(exitCode, { exit: 3, throw: 1, signal: null }[last]);
  return transientHandles(emulator).length;
}

async function run(args: readonly string[]): Promise<{ exitCode: number | null }> {
  const process_ = spawn(process.execPath, args, { cwd: process.cwd(), stdio: 'ignore' });
  const [exitCode] = (await once(process_, 'exit')) as [number | null];
  return { exitCode };
}

test('leaves no transient object in the TPM behind process.exit() in the middle of a handshake', async (t) => {
  assert.equal(await handlesAfter(t, 'exit'), 0);
});

test('leaves no transient object in the TPM behind an uncaught error', async (t) => {
  assert.equal(await handlesAfter(t, 'throw'), 0);
});

test('would leave one behind if the process had no chance to clean up: the tests above can fail', async (t) => {
  assert.equal(await handlesAfter(t, 'signal'), 1);
});
