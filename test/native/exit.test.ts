import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { openTpm } from 'node-tss';
import { createAuthority } from '../support/certificates.ts';
import type { SoftwareTpm } from '../support/swtpm.ts';
import { clientCertificate } from '../support/tls-identities.ts';
import { openTestTpm, tpm2, transientHandles } from '../support/tpm-fixture.ts';

/** A process that has its key in the TPM, ready for a handshake whose server never answers, and then does `last`. */
const child = `
const { connect, openTpm } = require('node-tss');
const { tcti, pem, certificateChain, port, last } = JSON.parse(process.argv[1]);
(async () => {
  const tpm = await openTpm({ tcti });
  const key = await tpm.loadKey(pem);
  connect({ host: '127.0.0.1', port, ca: certificateChain, identity: { key, certificateChain } }).catch(() => {});
  await key.sign(Buffer.alloc(32));
  if (last === 'killed' || last === 'crash') process.kill(process.pid, last === 'killed' ? 'SIGKILL' : 'SIGSEGV');
  if (last === 'terminated') process.once('SIGTERM', () => process.exit(143)).kill(process.pid, 'SIGTERM');
  if (last === 'throw') setImmediate(() => { throw new Error('the end'); });
  if (last === 'exit') process.exit(3);
})();
`;

const exitCodes = { exit: 3, throw: 1, terminated: 143, killed: null, crash: null } as const;

interface End {
  readonly emulator: SoftwareTpm;
  readonly pem: string;
}

/** Let such a process come to its end. */
async function end(context: TestContext, last: keyof typeof exitCodes): Promise<End> {
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
  assert.equal(await exitCodeOf(['-e', child, argument]), exitCodes[last]);
  return { emulator, pem };
}

async function exitCodeOf(args: readonly string[]): Promise<number | null> {
  const process_ = spawn(process.execPath, args, { cwd: process.cwd(), stdio: 'ignore' });
  const [exitCode] = (await once(process_, 'exit')) as [number | null];
  return exitCode;
}

for (const [last, what] of [
  ['exit', 'process.exit() in the middle of a handshake'],
  ['throw', 'an uncaught error'],
  ['terminated', 'SIGTERM, where the program exits upon it'],
] as const) {
  test(`leaves no transient object in the TPM behind ${what}`, async (t) => {
    const { emulator } = await end(t, last);
    assert.deepEqual(transientHandles(emulator), []);
  });
}

for (const [last, what] of [
  ['killed', 'was killed'],
  ['crash', 'crashed'],
] as const) {
  test(`flushes at the next start what a process left in the TPM that ${what}, and nothing else`, async (t) => {
    const { emulator, pem } = await end(t, last);
    // It had no chance to clean up; were this empty, the tests above could not fail.
    const leftovers = transientHandles(emulator);
    assert.equal(leftovers.length, 1);
    tpm2(emulator, 'createprimary', '-G', 'ecc', '-c', 'foreign');
    // It takes the lowest free slot, which may lie below the one that was left.
    const foreign = transientHandles(emulator).filter((handle) => !leftovers.includes(handle));
    assert.equal(foreign.length, 1);
    const restarted = await openTpm({ tcti: emulator.tcti });
    const key = await restarted.loadKey(pem);
    assert.ok((await key.sign(Buffer.alloc(32))).length > 0);
    await restarted.close();
    assert.deepEqual(transientHandles(emulator), foreign);
    await emulator.stop(foreign);
  });
}
