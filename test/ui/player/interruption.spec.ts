/** The player is killed in every state of its registration and goes on where it was. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { shown } from './chips.ts';
import { expect, type LogLine, type Rig, test } from './rig.ts';
import { scenario } from './scenario.ts';

const fingerprintOf = (line: LogLine) => line['fingerprint'];

async function transientHandles(rig: Rig): Promise<string> {
  const run = promisify(execFile);
  const env = { ...process.env, TPM2TOOLS_TCTI: rig.tpm.tcti };
  return (await run('tpm2_getcap', ['handles-transient'], { env })).stdout.trim();
}

test('killed before it could register: same key, then a PIN', async ({ rig }) => {
  rig.backend.failNext({ path: '/api/v2/screens/registrations', status: 503, times: 1_000 });
  const first = await rig.start();
  const key = await first.logged('device-key-opened');
  await first.logged('registration-failed');
  await first.kill();
  expect(await transientHandles(rig)).toBe('');
  rig.backend.clearFaults();
  const second = await rig.start();
  expect(fingerprintOf(await second.logged('device-key-opened'))).toBe(fingerprintOf(key));
  await second.shownPin();
  await second.stop();
});

test('killed while pending: the same PIN is shown and can be claimed', async ({ rig }) => {
  const first = await rig.start();
  const pin = await first.shownPin();
  await first.kill();
  const second = await rig.start();
  expect(await second.shownPin()).toBe(pin);
  rig.backend.claim(pin, 'Lobby');
  await second.logged('item-shown');
  await second.stop();
});

test('claimed while the player was dead: it fetches its certificate and plays', async ({ rig }) => {
  const first = await rig.start();
  const pin = await first.shownPin();
  await first.kill();
  rig.backend.claim(pin, 'Lobby');
  const second = await rig.start();
  await second.logged('item-shown');
  await second.stop();
});

test('the reply with the certificate is lost: the next poll brings it again', async ({ rig }) => {
  const player = await rig.start();
  const pin = await player.shownPin();
  rig.backend.failNext({ path: '/api/v2/screens/registrations/', method: 'GET', loseReply: true, times: 2 });
  rig.backend.claim(pin, 'Lobby');
  await player.logged('item-shown');
  await player.stop();
});

test('killed while playing: plays again without a new registration and leaves no object in the TPM', async ({
  rig,
}) => {
  const first = await rig.startRegistered();
  await first.kill();
  expect(await transientHandles(rig)).toBe('');
  const second = await rig.start();
  await second.logged('item-shown');
  await second.logged('session-started');
  await second.stop();
  expect(await transientHandles(rig)).toBe('');
  expect(rig.backend.screens()).toHaveLength(1);
});

test('an expired PIN is replaced by a new one for the same key', async ({ rig }) => {
  await rig.backend.close();
  await rig.startBackend({ registrationLifetimeMs: 2_000 });
  const player = await rig.start();
  const pin = await player.shownPin();
  const [before] = rig.backend.pending();
  await expect.poll(() => player.shownPin(), { timeout: 20_000 }).not.toBe(pin);
  // Between the end of one and the beginning of the next none is pending.
  const after = () => rig.backend.pending().find((pending) => pending.pin !== pin)?.fingerprint;
  await expect.poll(after).toBe(before?.fingerprint);
  await player.stop();
});

test('a screen denied in the console says so and shows no PIN', async ({ rig }) => {
  const player = await rig.start();
  rig.backend.deny(await player.shownPin());
  await expect(player.page.getByTestId('screen-trouble')).toContainText('denied', { timeout: 20_000 });
  await player.stop();
});

test('a screen removed from the console forgets its media and shows a new PIN for the same key', async ({ rig }) => {
  const player = await rig.startRegistered();
  await player.logged('playlist-published');
  const [screen] = rig.backend.screens();
  const from = player.log.length;
  rig.backend.remove(screen?.id ?? '');
  // A stream that has ended is asked for again within half a minute.
  await player.logged('registration-unregistered', {}, from);
  const row = scenario('the screen was removed (410)');
  row.begins();
  const pin = await player.shownPin();
  await row.see(player);
  rig.backend.claim(pin, 'Lobby again');
  await player.logged('registration-registered', {}, from);
  await expect.poll(() => shown(player)).toEqual({ state: 'playing', code: null });
  await row.recovered(player);
  await player.stop();
});
