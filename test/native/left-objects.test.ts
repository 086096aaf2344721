/** That the check behind every test with a software TPM can fail. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { startSwtpm } from '../support/swtpm.ts';
import { tpm2 } from '../support/tpm-fixture.ts';

test('a test that leaves an object in its TPM fails, whatever it tested, and its TPM is ended all the same', async () => {
  const emulator = await startSwtpm();
  tpm2(emulator, 'createprimary', '-G', 'ecc', '-c', 'left.ctx');
  await assert.rejects(emulator.stop(), { message: 'transient objects in the TPM: 0x80000000; expected: none' });
  assert.notEqual(emulator.process.exitCode ?? emulator.process.signalCode, null);
  assert.equal(existsSync(emulator.folder), false);
  await emulator.stop();
});

test('a test that says what it leaves fails when it is not there', async () => {
  const emulator = await startSwtpm();
  await assert.rejects(emulator.stop(['0x80000000']), { message: /none; expected: 0x80000000/ });
});

test('a TPM that was used and emptied, reset, or never started passes', async () => {
  const used = await startSwtpm();
  tpm2(used, 'createprimary', '-G', 'ecc', '-c', 'left.ctx');
  tpm2(used, 'flushcontext', '-t');
  await used.stop();
  await (await startSwtpm({ started: false })).stop();
});
