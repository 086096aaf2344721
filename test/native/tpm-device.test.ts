/** `device:` TCTIs, over a pseudo terminal that stands for the TPM's character device. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openTpm, type SigningKey, type Tpm } from 'node-tss';
import { startTpmDevice } from '../support/tpm-device.ts';
import { commandCodes } from '../support/tpm-relay.ts';
import { type TpmRig, tpmRig } from '../support/tpm-rig.ts';

const digest = Buffer.alloc(32, 7);

interface Loaded {
  readonly rig: TpmRig;
  readonly tpm: Tpm;
  readonly key: SigningKey;
}

/** A client of a device of this name, its key loaded. */
async function loaded(context: TestContext, name: 'tpm0' | 'tpmrm0'): Promise<Loaded> {
  const rig = await tpmRig(context);
  const device = await startTpmDevice(rig.relay, join(rig.emulator.folder, name));
  context.after(() => device.stop());
  const tpm = await openTpm({ tcti: device.tcti });
  context.after(() => tpm.close());
  const key = await tpm.loadKey(await tpm.createKey());
  await tpm.info();
  return { rig, tpm, key };
}

/** How often each of these commands came in the course of `work`. */
async function counted(rig: TpmRig, work: () => Promise<unknown>): Promise<Record<string, number>> {
  rig.relay.commands.length = 0;
  await work();
  const names = ['load', 'contextLoad', 'sign', 'flushContext'] as const;
  return Object.fromEntries(
    names.map((name) => [name, rig.relay.commands.filter((code) => code === commandCodes[name]).length]),
  );
}

test('keeps a key loaded on the resource manager’s device: many signatures, no load; flushed at the end', async (t) => {
  const { rig, tpm, key } = await loaded(t, 'tpmrm0');
  const signing = await counted(rig, async () => {
    for (let i = 0; i < 20; i++) {
      assert.equal((await key.sign(digest))[0], 0x30);
      // The queue runs dry each time: that is when a key that does not stay is flushed.
      await tpm.info();
    }
  });
  assert.deepEqual(signing, { load: 0, contextLoad: 0, sign: 20, flushContext: 0 });
  assert.equal((await rig.handles()).length, 1);
  assert.equal((await counted(rig, () => tpm.close()))['flushContext'], 1);
  assert.deepEqual(await rig.handles(), []);
});

test('loads and flushes the key for each signature on a device without resource manager', async (t) => {
  const { rig, tpm, key } = await loaded(t, 'tpm0');
  const signing = await counted(rig, async () => {
    for (let i = 0; i < 5; i++) {
      await key.sign(digest);
      await tpm.info();
    }
  });
  assert.deepEqual(signing, { load: 0, contextLoad: 5, sign: 5, flushContext: 5 });
  assert.deepEqual(await rig.handles(), []);
});
