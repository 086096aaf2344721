/** Photographs every screen for the README: run by `npm run screenshots`, no part of `npm test`. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'playwright/test';
import { shotSizes, shots, takenFolder } from '../../support/screenshot-list.ts';
import { heard, overlays, screens, settleMotion } from '../mocked/catalogue.ts';
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

for (const { name: size, width, height } of shotSizes) {
  test(`photographs every screen at ${size}`, async ({ kiosk }) => {
    test.slow();
    await mkdir(path.resolve(takenFolder), { recursive: true });
    await kiosk.resize(width, height);
    for (const name of shots) {
      const snapshot = screens[name]?.();
      await kiosk.push({ ...(snapshot ?? { ...device, state: 'starting' }), notice: null });
      const view = overlays[name]?.();
      await kiosk.pushOperator(view ?? { state: 'closed' });
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
      await writeFile(
        path.resolve(takenFolder, `${name}-${size}.png`),
        smallPng(width, height, kiosk.display.picture(width, height)),
      );
    }
  });
}
