/**
 * The faults of a TPM through the whole player: what the screen says where nothing plays, that content plays on from
 * the disk, and that the player finds its way back without a hand where the fault allows it.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { readKeyFile, writeKeyFile } from '../../../native/key-file.ts';
import { startSwtpm } from '../../support/swtpm.ts';
import { expect, type Player, type Rig, test } from './rig.ts';

const run = promisify(execFile);
const parent = 0x81000001;

/** One of Debian's tpm2-tools on the rig's TPM. @returns stdout */
async function tpm2(rig: Rig, tool: string, ...args: readonly string[]): Promise<string> {
  const env = { ...process.env, TPM2TOOLS_TCTI: rig.tpm.tcti, TSS2_LOG: 'all+none' };
  return (await run(`tpm2_${tool}`, args, { cwd: rig.folder, env })).stdout;
}

/** An ECC storage key at the handle of the storage root key, as a provisioning tool leaves it: the same each time. */
async function provision(rig: Rig): Promise<void> {
  await tpm2(rig, 'createprimary', '-G', 'ecc256', '-g', 'sha256', '-c', 'srk.ctx');
  await tpm2(rig, 'evictcontrol', '-c', 'srk.ctx', '0x81000001');
  await tpm2(rig, 'flushcontext', '-t');
}

const read = (rig: Rig, name: string) => readFile(path.join(rig.folder, name));

async function placeKey(directory: string, pem: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(path.join(directory, 'device-key.pem'), pem, { mode: 0o600 });
}

/** A device key made by others: unlike ours it is subject to the TPM's lockout. */
async function placeForeignKey(rig: Rig): Promise<void> {
  await tpm2(rig, 'create', '-C', '0x81000001', '-G', 'ecc256:ecdsa', '-u', 'key.pub', '-r', 'key.priv');
  const [publicArea, privateArea] = [await read(rig, 'key.pub'), await read(rig, 'key.priv')];
  await placeKey(rig.stateDirectory, writeKeyFile({ parent, publicArea, privateArea }));
}

/** Another player that has the same key and nothing else. */
async function startEmpty(rig: Rig): Promise<Player> {
  const directory = path.join(rig.folder, 'empty');
  await mkdir(directory, { mode: 0o700 });
  await cp(path.join(rig.stateDirectory, 'device-key.pem'), path.join(directory, 'device-key.pem'));
  rig.settings = { state: { directory } };
  return rig.start();
}

async function expectTrouble(player: Player, code: string, remedy: RegExp): Promise<void> {
  const trouble = player.page.getByTestId('screen-trouble');
  await expect(trouble).toContainText(code, { timeout: 20_000 });
  await expect(trouble).toContainText(remedy);
}

/** The player plays, and has called the server with its certificate since `from` requests. */
async function expectBack(rig: Rig, from: number): Promise<void> {
  await expect
    .poll(() => rig.backend.requests.slice(from).some(({ authorized }) => authorized), { timeout: 60_000 })
    .toBe(true);
}

test('lockout: the screen says so, content plays on, and both end by themselves', async ({ rig }) => {
  await provision(rig);
  await tpm2(rig, 'dictionarylockout', '-s', '-n', '1', '-t', '1000', '-l', '1000');
  await placeForeignKey(rig);
  await tpm2(rig, 'create', '-C', '0x81000001', '-G', 'ecc256:ecdsa', '-u', 'g.pub', '-r', 'g.priv', '-p', 'secret');
  await tpm2(rig, 'load', '-C', '0x81000001', '-u', 'g.pub', '-r', 'g.priv', '-c', 'g.ctx');
  await tpm2(rig, 'flushcontext', '-t');
  const lockOut = async () => {
    await expect(tpm2(rig, 'sign', '-c', 'g.ctx', '-p', 'wrong', '-o', 'sig', 'g.pub')).rejects.toThrow();
    await tpm2(rig, 'flushcontext', '-t');
  };
  await lockOut();
  const player = await rig.start();
  await expectTrouble(player, 'TPM_LOCKED_OUT', /recovers by itself/);
  await tpm2(rig, 'dictionarylockout', '-c');
  rig.backend.claim(await player.shownPin(), 'Lobby');
  await player.logged('item-shown');
  await player.stop();

  await lockOut();
  const from = rig.backend.requests.length;
  const again = await rig.start();
  await again.logged('item-shown');
  await again.logged('identity-failed', { code: 'TPM_LOCKED_OUT' });
  await expect(again.page.getByTestId('screen-trouble')).toHaveCount(0);
  await tpm2(rig, 'dictionarylockout', '-c');
  await expectBack(rig, from);
  await again.stop();
});

test('slots full: the screen says that another program holds them, content plays on, both end by themselves', async ({
  rig,
}) => {
  const fill = async () => {
    for (const name of ['a', 'b', 'c']) await tpm2(rig, 'createprimary', '-G', 'ecc', '-c', name);
  };
  await fill();
  const player = await rig.start();
  await expectTrouble(player, 'TPM_BUSY', /Another program holds them/);
  await tpm2(rig, 'flushcontext', '-t');
  rig.backend.claim(await player.shownPin(), 'Lobby');
  await player.logged('item-shown');
  await player.stop();

  await fill();
  const from = rig.backend.requests.length;
  const again = await rig.start();
  await again.logged('item-shown');
  await again.logged('identity-failed', { code: 'TPM_BUSY' });
  await tpm2(rig, 'flushcontext', '-t');
  await expectBack(rig, from);
  await again.stop();
});

test('missing parent: content plays on, an empty screen names the remedy, and it recovers once provisioned', async ({
  rig,
}) => {
  await provision(rig);
  await (await rig.startRegistered()).stop();
  expect(readKeyFile(await readFile(path.join(rig.stateDirectory, 'device-key.pem'), 'utf8')).parent).toBe(parent);
  await tpm2(rig, 'evictcontrol', '-C', 'o', '-c', '0x81000001');
  const from = rig.backend.requests.length;
  const player = await rig.start();
  await player.logged('item-shown');
  const line = await player.logged('identity-failed', { code: 'KEY_PARENT_MISSING' });
  expect(JSON.stringify(line)).toContain('0x81000001');
  await provision(rig);
  await expectBack(rig, from);
  await player.stop();

  await tpm2(rig, 'evictcontrol', '-C', 'o', '-c', '0x81000001');
  const empty = await startEmpty(rig);
  await expectTrouble(empty, 'KEY_PARENT_MISSING', /Provision it again/);
  await provision(rig);
  expect(await empty.shownPin()).toHaveLength(6);
  await empty.stop();
});

test('wrong key password: asked for once and never again; content plays on, an empty screen names the remedy', async ({
  rig,
}) => {
  await provision(rig);
  await tpm2(rig, 'dictionarylockout', '-s', '-n', '10', '-t', '1000', '-l', '1000');
  await placeForeignKey(rig);
  await (await rig.startRegistered()).stop();
  // The same key, given a password behind the player's back.
  await tpm2(rig, 'load', '-C', '0x81000001', '-u', 'key.pub', '-r', 'key.priv', '-c', 'key.ctx');
  await tpm2(rig, 'changeauth', '-c', 'key.ctx', '-C', '0x81000001', '-r', 'guarded.priv', 'secret');
  await tpm2(rig, 'flushcontext', '-t');
  const [publicArea, privateArea] = [await read(rig, 'key.pub'), await read(rig, 'guarded.priv')];
  await placeKey(rig.stateDirectory, writeKeyFile({ parent, publicArea, privateArea }));
  const counted = async () =>
    Number(/LOCKOUT_COUNTER: (0x[0-9A-Fa-f]+)/.exec(await tpm2(rig, 'getcap', 'properties-variable'))?.[1]);
  const player = await rig.start();
  await player.logged('item-shown');
  await player.logged('sync-failed', { code: 'KEY_AUTH_REFUSED' });
  // Both the events and the playlist are asked for again and again; the TPM hears of one attempt.
  await expect
    .poll(() => player.log.filter(({ code }) => code === 'KEY_AUTH_REFUSED').length, { timeout: 30_000 })
    .toBeGreaterThan(3);
  expect(await counted()).toBe(1);
  await player.stop();

  const empty = await startEmpty(rig);
  await expectTrouble(empty, 'KEY_AUTH_REFUSED', /Remove the key file/);
  expect(await counted()).toBe(2);
  await empty.stop();
});

test('a TPM that nobody has started is started, for a new screen and for one that plays', async ({ rig }) => {
  const stateFolder = path.join(rig.folder, 'sleeping');
  for (const registered of [false, true]) {
    const sleeping = await startSwtpm({ stateFolder, started: false });
    rig.settings = { identity: { tcti: sleeping.tcti } };
    const player = registered ? await rig.start() : await rig.startRegistered();
    await player.logged('item-shown');
    await player.logged('session-started');
    expect(player.log.some(({ event }) => event === 'identity-failed')).toBe(false);
    await player.stop();
    await sleeping.stop();
  }
});

test('a reset of the TPM underneath a playing screen is not noticed: it signs on', async ({ rig }) => {
  const player = await rig.startRegistered();
  await player.logged('events-connected');
  await run('swtpm_ioctl', ['--unix', `${rig.tpm.folder}/tpm.sock.ctrl`, '-i']);
  // A renewal asks the key for a signature that no session ticket can stand for.
  rig.backend.sendEvent('certificate', 'renew');
  await player.logged('certificate-renewed');
  expect(player.log.some(({ event }) => event === 'identity-failed' || event === 'renewal-failed')).toBe(false);
  await player.stop();
});
