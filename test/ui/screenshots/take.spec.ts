/** Photographs every screen for the README: run by `npm run screenshots`, no part of `npm test`. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'playwright/test';
import type { Look } from '../../../electron/ipc/contract.ts';
import { lookShots, shotSizes, shots, takenFolder } from '../../support/screenshot-list.ts';
import { dressed, heard, overlays, screens, settleMotion } from '../mocked/catalogue.ts';
import type { Kiosk } from '../mocked/kiosk.ts';
import { device, test } from '../mocked/kiosk.ts';
import { smallPng } from './png.ts';

const hidden = '#root { visibility: hidden; }';

/** Has the page painted anew: hides it until the display is empty, then shows it until two looks are alike. */
async function painted({ page, display }: Kiosk, width: number, height: number): Promise<void> {
  const dress = (css: string) =>
    page.evaluate((text) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      document.adoptedStyleSheets = [sheet];
    }, css);
  const isEmpty = (picture: Buffer) => picture.equals(Buffer.alloc(picture.length, picture.subarray(0, 3)));
  const waiting = { intervals: [100], timeout: 30_000 };
  await dress(hidden);
  await expect.poll(() => isEmpty(display.picture(width, height)), waiting).toBe(true);
  await dress('');
  let [before, now]: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
  const still = () => {
    [before, now] = [now, display.picture(width, height)];
    return now.equals(before) && !isEmpty(now);
  };
  await expect.poll(still, waiting).toBe(true);
}

/** Brings a screen onto the display, moved no more, and writes its picture. */
async function photograph(
  kiosk: Kiosk,
  name: (typeof shots)[number],
  look: Partial<Look>,
  { width, height }: { readonly width: number; readonly height: number },
  file: string,
): Promise<void> {
  const snapshot = screens[name]?.() ?? { ...device, state: 'starting' };
  await kiosk.push(dressed({ ...snapshot, notice: null }, look));
  await kiosk.pushOperator(overlays[name]?.() ?? { state: 'closed' });
  const isCard = name === 'now-playing';
  if (isCard) await kiosk.push(await heard());
  await expect(kiosk.page.getByTestId(isCard ? name : `screen-${name}`)).toBeVisible();
  // Not at its beginning, where the line that shows how far it is would be empty.
  if (isCard)
    await kiosk.page.locator('audio').evaluate((audio: HTMLAudioElement) => {
      audio.currentTime = 71;
    });
  await kiosk.page.evaluate(() => document.fonts.ready);
  await settleMotion(kiosk.page, 0);
  await painted(kiosk, width, height);
  const picture = smallPng(width, height, kiosk.display.picture(width, height));
  await mkdir(path.resolve(takenFolder), { recursive: true });
  await writeFile(path.resolve(takenFolder, file), picture);
}

for (const size of shotSizes) {
  test(`photographs every screen at ${size.name}`, async ({ kiosk }) => {
    test.slow();
    await kiosk.resize(size.width, size.height);
    for (const name of shots) await photograph(kiosk, name, {}, size, `${name}-${size.name}.png`);
  });
}

test('photographs the light theme and a language that runs from right to left', async ({ kiosk }) => {
  test.slow();
  const size = { width: 1280, height: 720 };
  await kiosk.resize(size.width, size.height);
  for (const { name, suffix, look } of lookShots) await photograph(kiosk, name, look, size, `${name}-${suffix}.png`);
});
