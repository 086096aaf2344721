import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openTpm, type SigningKey, type Tpm } from 'node-tss';
import { commandCodes } from '../support/tpm-relay.ts';
import { type TpmRig, tpmRig } from '../support/tpm-rig.ts';

const digest = Buffer.alloc(32, 7);

interface Loaded {
  readonly rig: TpmRig;
  readonly tpm: Tpm;
  readonly key: SigningKey;
}

async function loaded(context: TestContext, keepLoaded: boolean): Promise<Loaded> {
  const rig = await tpmRig(context);
  const tpm = await openTpm({ tcti: rig.relay.tcti, keepLoaded });
  const key = await tpm.loadKey(await tpm.createKey());
  await tpm.info();
  return { rig, tpm, key };
}

/** Commands of three signatures that load or flush a key. */
async function moves({ rig, tpm, key }: Loaded): Promise<number> {
  rig.relay.commands.length = 0;
  for (let i = 0; i < 3; i++) {
    await key.sign(digest);
    await tpm.info();
  }
  const moving: readonly number[] = [commandCodes.load, commandCodes.contextLoad, commandCodes.flushContext];
  return rig.relay.commands.filter((code) => moving.includes(code)).length;
}

test('leaves no key in a TPM without resource manager unless keepLoaded asks for it', async (t) => {
  const subject = await loaded(t, false);
  assert.equal(await moves(subject), 6, 'each signature loads its key and flushes it');
  assert.deepEqual(await subject.rig.handles(), []);
  await subject.tpm.close();
});

test('keepLoaded leaves a key in its slot from one signature to the next', async (t) => {
  const subject = await loaded(t, true);
  assert.equal(await moves(subject), 0);
  assert.equal((await subject.rig.handles()).length, 1);
  await subject.tpm.close();
});

test('keepLoaded gives the slot back with the key, and all of them with the TPM', async (t) => {
  const { rig, tpm, key } = await loaded(t, true);
  await tpm.loadKey(await tpm.createKey());
  assert.equal((await rig.handles()).length, 2);
  await key.close();
  assert.equal((await rig.handles()).length, 1);
  await tpm.close();
  assert.deepEqual(await rig.handles(), []);
});

test('keepLoaded loads a key again that somebody else has flushed', async (t) => {
  const { rig, tpm, key } = await loaded(t, true);
  await rig.tool('flushcontext', '-t');
  assert.deepEqual(await rig.handles(), []);
  assert.equal((await key.sign(digest))[0], 0x30);
  assert.equal((await rig.handles()).length, 1);
  await tpm.close();
});
