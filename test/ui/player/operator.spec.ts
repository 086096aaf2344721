import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { chord, enter, press } from './keyboard.ts';
import type { Rig } from './rig.ts';
import { expect, test } from './rig.ts';

const pin = '271828';

async function withPin(rig: Rig, mode = 0o640): Promise<void> {
  const file = path.join(rig.folder, 'operator-pin');
  await writeFile(file, `${pin}\n`);
  await chmod(file, mode);
  rig.settings['operator'] = { pinFile: file };
}

test('the chord and the PIN open the operator’s overlay over what plays; Escape leaves it', async ({ rig }) => {
  await withPin(rig);
  const player = await rig.startRegistered();
  const layer = player.page.getByTestId('operator-layer');
  await chord(player);
  await expect(player.page.getByTestId('pin-dots')).toBeVisible();
  await enter(player, '000000');
  await expect(player.page.getByTestId('pin-word')).toContainText('Not accepted');
  await player.logged('operator-pin-refused', { count: 1 });
  await enter(player, pin);
  await expect(player.page.getByTestId('operator-state')).toHaveText('Playing');
  const { fingerprint } = await player.logged('device-key-opened');
  const grouped = String(fingerprint).slice(0, 16).match(/.{4}/g)?.join(' ') ?? '';
  await expect(player.page.getByTestId('operator-fingerprint')).toHaveText(grouped);
  await expect(player.page.getByTestId('operator-identity-event')).toHaveText('registered');
  await expect(layer).toContainText('In the TPM');
  await expect(layer).toContainText('until ');
  await expect(layer).toContainText(new URL(rig.backend.origin).host);
  // The software TPM says that it is IBM's.
  await expect(layer).toContainText(/IBM \d+\.\d+/);
  const told = (await layer.textContent()) ?? '';
  for (const secret of [rig.folder, rig.stateDirectory, pin, 'BEGIN', 'swtpm:', 'player://'])
    expect(told.includes(secret), secret).toBe(false);
  await press(player, 'Escape');
  await expect(layer).toHaveCount(0);
  await player.logged('operator-left');
  expect(player.log.some((line) => JSON.stringify(line).includes(pin))).toBe(false);
  await player.stop();
});

test('three wrong PINs shut the overlay to the right one for a while', async ({ rig }) => {
  await withPin(rig);
  const player = await rig.start();
  await player.shownPin();
  await chord(player);
  await expect(player.page.getByTestId('pin-dots')).toBeVisible();
  for (const count of [1, 2, 3]) {
    await enter(player, '999999');
    await player.logged('operator-pin-refused', { count });
    // The answer comes after its fixed time, 0.7 s; until then another PIN is not heard.
    await player.page.waitForTimeout(2_000);
  }
  const before = player.log.length;
  await enter(player, pin);
  await player.page.waitForTimeout(1_500);
  await expect(player.page.getByTestId('operator-state')).toHaveCount(0);
  expect(player.log.slice(before).some(({ event }) => event === 'operator-entered')).toBe(false);
  await player.stop();
});

test('there is no overlay without a PIN in the settings', async ({ rig }) => {
  const bare = await rig.start();
  await bare.shownPin();
  await chord(bare);
  await bare.page.waitForTimeout(1_000);
  await expect(bare.page.getByTestId('operator-layer')).toHaveCount(0);
  await bare.stop();
});

test('refuses a PIN that everybody may read, and every PIN with it', async ({ rig }) => {
  await withPin(rig, 0o644);
  const open = await rig.start();
  await open.shownPin();
  await chord(open);
  await expect(open.page.getByTestId('pin-dots')).toBeVisible();
  await enter(open, pin);
  const { code } = await open.logged('operator-pin-unusable');
  expect(code).toBe('SETTINGS_INVALID');
  await expect(open.page.getByTestId('operator-state')).toHaveCount(0);
  await open.stop();
});
