import { expect } from 'playwright/test';
import { overlays, overview } from './catalogue.ts';
import { item, playing, test } from './kiosk.ts';
import { sightOf } from './observer.ts';

const asking = () => overlays['operator-asking']?.() as never;
const open = () => overlays['operator']?.() as never;

test('lies over content, which goes on behind it and is there again afterwards', async ({ kiosk }) => {
  await kiosk.push(playing('p1', [await item('a', 'red.png'), await item('b', 'red.png')]));
  await kiosk.reported('shown a');
  const middle = () => sightOf(kiosk.display.pixel(640, 600));
  await expect.poll(middle).toBe('red');
  await kiosk.pushOperator(asking());
  await expect.poll(middle).toBe('dark');
  await kiosk.reported('shown a', 'shown b', 'shown a');
  await kiosk.pushOperator({ state: 'closed' });
  await expect.poll(middle).toBe('red');
  await expect(kiosk.page.getByTestId('operator-layer')).toHaveCount(0);
});

test('puts web pages out of sight while it is open, and shows them again', async ({ kiosk }) => {
  await kiosk.pushOperator(asking());
  await expect.poll(async () => (await kiosk.viewCalls()).includes('veil')).toBe(true);
  await kiosk.pushOperator({ state: 'closed' });
  await expect.poll(async () => (await kiosk.viewCalls()).at(-1)).toBe('unveil');
});

test('sends the PIN at Enter, shows only how many digits it has, and keeps nothing', async ({ kiosk }) => {
  const { page } = kiosk;
  await kiosk.pushOperator(asking());
  await expect(page.getByTestId('pin-dots')).toBeVisible();
  for (const key of ['2', '7', '1', '8', 'x', '2', '9', 'Backspace', '8']) await page.keyboard.press(key);
  await expect(page.locator('.dot.typed')).toHaveCount(6);
  expect(await page.evaluate(() => document.documentElement.outerHTML.includes('271828'))).toBe(false);
  expect(await kiosk.pins()).toEqual([]);
  await page.keyboard.press('Enter');
  await expect.poll(() => kiosk.pins()).toEqual(['271828']);
  await expect(page.locator('.dot.typed')).toHaveCount(0);
});

test('takes no more digits than a PIN may have, and sends nothing shorter', async ({ kiosk }) => {
  await kiosk.pushOperator(asking());
  await expect(kiosk.page.getByTestId('pin-dots')).toBeVisible();
  for (const key of ['1', '2', '3', 'Enter']) await kiosk.page.keyboard.press(key);
  for (const key of '12345678901234567') await kiosk.page.keyboard.press(key);
  await kiosk.page.keyboard.press('Enter');
  await expect.poll(() => kiosk.pins()).toEqual(['123456789012']);
});

test('says the same of every PIN that was not accepted', async ({ kiosk }) => {
  const word = kiosk.page.getByTestId('pin-word');
  await kiosk.pushOperator(asking());
  await expect(word).toHaveText('Enter confirms, Esc leaves');
  for (const attempts of [1, 2, 7]) {
    await kiosk.pushOperator({ state: 'asking', leavesAtMs: Date.now() + 30_000, attempts });
    await expect(word).toHaveText('Not accepted. After several attempts, wait before the next one.');
  }
});

test('keys reach nothing while the overlay is closed', async ({ kiosk }) => {
  await kiosk.page.keyboard.type('271828');
  await kiosk.page.keyboard.press('Enter');
  expect(await kiosk.pins()).toEqual([]);
});

test('tells state, identity, what plays now and next, network, TPM, store and versions', async ({ kiosk }) => {
  await kiosk.pushOperator(open());
  const layer = kiosk.page.getByTestId('operator-layer');
  for (const text of [
    'Playing',
    '9f3a c2e1 7b40 d856',
    'In the TPM',
    '30 May 2027',
    'IFX 7.85.4555.0',
    overview.now,
    overview.next,
    overview.server,
    '192.0.2.47',
    '2.3 GB of 8.6 GB',
    '41.8 GB',
    overview.versions.electron,
    overview.versions.chromium,
    overview.versions.openssl,
    'Closes by itself in 1:',
  ])
    await expect(layer).toContainText(text ?? '');
});
