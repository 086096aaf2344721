import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeKeyFile } from '../../native/key-file.ts';
import { commandCodes } from '../support/tpm-relay.ts';
import { type TpmRig, tpmRig } from '../support/tpm-rig.ts';

const digest = Buffer.alloc(32, 7);
const parent = 0x81000001;

/** An ECC storage key at the handle of the storage root key, as a provisioning tool leaves it. */
async function provision({ tool }: TpmRig): Promise<void> {
  await tool('createprimary', '-G', 'ecc256', '-g', 'sha256', '-c', 'srk.ctx');
  await tool('evictcontrol', '-c', 'srk.ctx', '0x81000001');
  await tool('flushcontext', '-t');
}

/** A key as others make them: with a password or without, and subject to the dictionary-attack lockout. */
async function foreignKey({ tool, emulator }: TpmRig, name: string, password?: string): Promise<string> {
  const secret = password === undefined ? [] : ['-p', password];
  await tool('create', '-C', '0x81000001', '-G', 'ecc256:ecdsa', '-u', `${name}.pub`, '-r', `${name}.priv`, ...secret);
  const [publicArea, privateArea] = (await Promise.all(
    ['pub', 'priv'].map((part) => readFile(join(emulator.folder, `${name}.${part}`))),
  )) as [Buffer, Buffer];
  return writeKeyFile({ parent, publicArea, privateArea });
}

async function failures({ tool }: TpmRig): Promise<number> {
  const line = /TPM2_PT_LOCKOUT_COUNTER: (0x[0-9A-Fa-f]+)/.exec(await tool('getcap', 'properties-variable'));
  return Number(line?.[1]);
}

test('asks for the owner password where there is one, and takes it', async (t) => {
  const { open, tool } = await tpmRig(t);
  await tool('changeauth', '-c', 'owner', 'owner-secret');
  for (const options of [{}, { ownerAuth: 'wrong' }]) {
    const tpm = await open(options);
    await assert.rejects(tpm.createKey(), { code: 'TPM_OWNER_AUTH', rc: 0x9a2, message: /owner password needed/ });
  }
  const tpm = await open({ ownerAuth: 'owner-secret' });
  const key = await tpm.loadKey(await tpm.createKey());
  assert.ok((await key.sign(digest)).length > 0);
});

test('needs no owner password where the storage root key is persistent', async (t) => {
  const rig = await tpmRig(t);
  await provision(rig);
  await rig.tool('changeauth', '-c', 'owner', 'owner-secret');
  const tpm = await rig.open();
  const key = await tpm.loadKey(await tpm.createKey());
  assert.ok((await key.sign(digest)).length > 0);
});

test('never tries a refused key password again: the TPM counts every attempt', async (t) => {
  const rig = await tpmRig(t);
  await provision(rig);
  const tpm = await rig.open();
  // The file claims that there is no password.
  const key = await tpm.loadKey(await foreignKey(rig, 'guarded', 'secret'));
  rig.relay.commands.length = 0;
  for (let i = 0; i < 3; i++) await assert.rejects(key.sign(digest), { code: 'KEY_AUTH', rc: 0x98e });
  assert.equal(rig.relay.commands.filter((code) => code === commandCodes.sign).length, 1);
  assert.equal(await failures(rig), 1);
});

test('tells how long a lockout lasts to a key that is subject to it, and signs on with its own', async (t) => {
  const rig = await tpmRig(t);
  await provision(rig);
  await rig.tool('dictionarylockout', '-s', '-n', '1', '-t', '1234', '-l', '1000');
  const tpm = await rig.open();
  const own = await tpm.loadKey(await tpm.createKey());
  const foreign = await tpm.loadKey(await foreignKey(rig, 'plain'));
  const guarded = await tpm.loadKey(await foreignKey(rig, 'guarded', 'secret'));
  assert.ok((await foreign.sign(digest)).length > 0);
  await assert.rejects(guarded.sign(digest), { code: 'KEY_AUTH' });
  const lockedOut = { code: 'TPM_LOCKED_OUT', rc: 0x921, message: /in lockout for 1234 s/ };
  await assert.rejects(foreign.sign(digest), lockedOut);
  assert.ok((await own.sign(digest)).length > 0);
});
