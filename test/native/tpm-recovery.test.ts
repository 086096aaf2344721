import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { openTpm } from 'node-tss';
import { startSwtpm } from '../support/swtpm.ts';
import { commandCodes } from '../support/tpm-relay.ts';
import { holdKeys, tpmRig } from '../support/tpm-rig.ts';

const digest = Buffer.alloc(32, 7);

function times<T>(count: number, first: T, then: T): () => T {
  let left = count;
  return () => (left-- > 0 ? first : then);
}

test('refuses while the TPM is away, and signs again as soon as it is back', async (t) => {
  const emulator = await startSwtpm();
  const tpm = await openTpm({ tcti: emulator.tcti });
  const key = await tpm.loadKey(await tpm.createKey());
  await holdKeys(t, key);
  emulator.process.kill('SIGKILL');
  await once(emulator.process, 'exit');
  for (let i = 0; i < 3; i++) await assert.rejects(key.sign(digest), { code: 'TPM_ABSENT' });
  const back = await startSwtpm({ folder: emulator.folder });
  t.after(() => back.stop());
  t.after(() => emulator.stop());
  assert.ok((await key.sign(digest)).length > 0);
  await key.close();
  assert.equal((await tpm.info()).transientObjects, 0);
  await tpm.close();
});

test('refuses when the line breaks again and again, after one more attempt', async (t) => {
  const { open, relay } = await tpmRig(t);
  const tpm = await open();
  const key = await tpm.loadKey(await tpm.createKey());
  relay.commands.length = 0;
  relay.rule = (code) => (code === commandCodes.sign ? 'cut' : 'pass');
  await assert.rejects(key.sign(digest), { code: 'TPM_CONNECTION' });
  assert.equal(relay.commands.filter((code) => code === commandCodes.sign).length, 2);
});

for (const [name, code] of Object.entries({
  'before a key is loaded': commandCodes.contextLoad,
  'in the middle of a signature': commandCodes.sign,
  'while a key is flushed': commandCodes.flushContext,
})) {
  test(`signs on when the line is cut ${name}, and leaves nothing behind`, async (t) => {
    const { open, relay } = await tpmRig(t);
    const tpm = await open();
    const key = await tpm.loadKey(await tpm.createKey());
    const ruling = times<'cut' | 'pass'>(1, 'cut', 'pass');
    relay.rule = (command) => (command === code ? ruling() : 'pass');
    for (let i = 0; i < 3; i++) assert.ok((await key.sign(digest)).length > 0);
    assert.equal(ruling(), 'pass');
  });
}

/** The ways in which a key can be in the TPM when something goes wrong. */
const stays = [
  ['that a handshake holds', {}],
  ['that is kept loaded', { keepLoaded: true }],
] as const;

for (const [which, options] of stays) {
  test(`flushes behind a cut line a key ${which}`, async (t) => {
    const { open, relay, handles } = await tpmRig(t);
    const tpm = await open(options);
    const key = await tpm.loadKey(await tpm.createKey());
    if (!('keepLoaded' in options)) await holdKeys(t, key);
    assert.equal((await handles()).length, 1);
    const ruling = times<'cut' | 'pass'>(1, 'cut', 'pass');
    relay.rule = (code) => (code === commandCodes.sign ? ruling() : 'pass');
    assert.ok((await key.sign(digest)).length > 0);
    assert.equal((await handles()).length, 1);
  });

  test(`loads a key again ${which} and that another program flushed`, async (t) => {
    const { open, relay, tool } = await tpmRig(t);
    const tpm = await open(options);
    const key = await tpm.loadKey(await tpm.createKey());
    if (!('keepLoaded' in options)) await holdKeys(t, key);
    await tool('flushcontext', '-t');
    relay.commands.length = 0;
    assert.ok((await key.sign(digest)).length > 0);
    assert.equal(relay.commands.filter((code) => code === commandCodes.sign).length, 2);
  });
}

test('starts a TPM that nobody has started', async (t) => {
  const { open, relay } = await tpmRig(t, { started: false });
  const tpm = await open();
  const key = await tpm.loadKey(await tpm.createKey());
  assert.ok((await key.sign(digest)).length > 0);
  assert.equal(relay.commands.filter((code) => code === commandCodes.startup).length, 1);
});

test('makes room among its own keys when they fill the slots', async (t) => {
  const { open, handles } = await tpmRig(t);
  const tpm = await open();
  const pems = [await tpm.createKey(), await tpm.createKey(), await tpm.createKey(), await tpm.createKey()];
  const keys = await Promise.all(pems.map((pem) => tpm.loadKey(pem)));
  await holdKeys(t, ...keys);
  for (const key of [...keys, ...keys]) assert.ok((await key.sign(digest)).length > 0);
  assert.ok((await handles()).length <= 3);
});

test('signs in the one slot that foreign programs leave, and flushes none of theirs', async (t) => {
  const { open, tool, handles } = await tpmRig(t);
  const tpm = await open();
  const key = await tpm.loadKey(await tpm.createKey());
  for (const name of ['a', 'b']) await tool('createprimary', '-G', 'ecc', '-c', name);
  const foreign = await handles();
  assert.equal(foreign.length, 2);
  assert.ok((await key.sign(digest)).length > 0);
  assert.deepEqual(await handles(), foreign);
  await tool('flushcontext', '-t');
});

for (const [which, options] of [['that is saved', {}], ...stays] as const) {
  test(`signs on after a reset of the TPM with a key ${which}`, async (t) => {
    const { open, relay, reset } = await tpmRig(t);
    const tpm = await open(options);
    const key = await tpm.loadKey(await tpm.createKey());
    if (which === 'that a handshake holds') await holdKeys(t, key);
    await reset();
    relay.commands.length = 0;
    assert.ok((await key.sign(digest)).length > 0);
    for (const code of [commandCodes.startup, commandCodes.contextLoad, commandCodes.load]) {
      assert.ok(relay.commands.includes(code), `command 0x${code.toString(16)}`);
    }
  });
}

test('says that a key is lost once the TPM was cleared, and makes new ones', async (t) => {
  const { open, tool } = await tpmRig(t);
  const tpm = await open();
  const pem = await tpm.createKey();
  const key = await tpm.loadKey(pem);
  await tool('clear');
  const lost = { code: 'KEY_LOST', rc: 0x1df, message: /another TPM or the TPM was cleared/ };
  await assert.rejects(key.sign(digest), lost);
  await assert.rejects(tpm.loadKey(pem), lost);
  const fresh = await tpm.loadKey(await tpm.createKey());
  assert.ok((await fresh.sign(digest)).length > 0);
});

test('gives up on a TPM that stays busy', async (t) => {
  const { open, relay } = await tpmRig(t);
  const tpm = await open();
  const key = await tpm.loadKey(await tpm.createKey());
  relay.rule = (code) => (code === commandCodes.sign ? 0x922 : 'pass');
  await assert.rejects(key.sign(digest), { code: 'TPM_RETRY', rc: 0x922 });
});

// ESYS itself resubmits the first three five times; the last one it passes on at once.
for (const [name, rc, refusals] of [
  ['YIELDED', 0x908, 8],
  ['TESTING', 0x90a, 8],
  ['RETRY', 0x922, 8],
  ['NV_RATE', 0x920, 3],
] as const) {
  test(`asks again when the TPM answers ${name}`, async (t) => {
    const { open, relay } = await tpmRig(t);
    const tpm = await open();
    const key = await tpm.loadKey(await tpm.createKey());
    const ruling = times<number | 'pass'>(refusals, rc, 'pass');
    relay.rule = (code) => (code === commandCodes.sign ? ruling() : 'pass');
    assert.ok((await key.sign(digest)).length > 0);
    assert.equal(ruling(), 'pass');
  });
}

test('names the remedy for a TPM in failure mode', async (t) => {
  const { open, relay } = await tpmRig(t);
  const tpm = await open();
  relay.rule = () => 0x101;
  await assert.rejects(tpm.createKey(), { code: 'TPM_FAILED', message: /switch the machine off/ });
});

test('keeps files and timers going while signatures wait for a slow TPM', async (t) => {
  const { open, relay } = await tpmRig(t);
  const tpm = await open();
  const key = await tpm.loadKey(await tpm.createKey());
  const gate = new EventEmitter();
  relay.rule = async (code) => {
    if (code === commandCodes.sign) {
      gate.emit('reached');
      await opened;
    }
    return 'pass' as const;
  };
  const opened = once(gate, 'open');
  const reached = once(gate, 'reached');
  const signatures = Array.from({ length: 8 }, () => key.sign(digest));
  await reached;
  // The TPM answers nothing until the file was read.
  assert.ok((await readFile('package.json')).length > 0);
  gate.emit('open');
  assert.equal((await Promise.all(signatures)).length, 8);
});
