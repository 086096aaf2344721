import { expect } from 'playwright/test';
import type { Fit, Rotation, Snapshot } from '../../../electron/ipc/contract.ts';
import type { Kiosk } from './kiosk.ts';
import { device, item, playing, test } from './kiosk.ts';
import type { Sight } from './observer.ts';
import { sightOf } from './observer.ts';

const turned = (snapshot: Snapshot, rotation: Rotation): Snapshot => ({
  ...snapshot,
  look: { ...snapshot.look, rotation },
});

/** What stands a little inside of the four corners of the page, clockwise from the upper left. */
function corners(kiosk: Kiosk, width: number, height: number): Sight[] {
  const places = [
    [8, 8],
    [width - 9, 8],
    [width - 9, height - 9],
    [8, height - 9],
  ] as const;
  return places.map(([x, y]) => sightOf(kiosk.display.pixel(x, y)));
}

/** The picture's own corners, clockwise from the upper left. */
const upright: readonly Sight[] = ['red', 'green', 'yellow', 'blue'];

const sizes = [
  { width: 1280, height: 720 },
  { width: 1080, height: 1920 },
] as const;

for (const { width, height } of sizes) {
  for (const [quarters, rotation] of ([0, 90, 180, 270] as const).entries()) {
    test(`content fills a display of ${width} × ${height} that is turned by ${rotation}`, async ({ kiosk }) => {
      await kiosk.resize(width, height);
      for (const fit of ['cover', 'fill'] as const satisfies readonly Fit[]) {
        const still = await item(fit, 'corners.png', { durationSeconds: 60, fit });
        await kiosk.restart(turned(playing(fit, [still]), rotation));
        await kiosk.reported(`shown ${fit}`);
        // Turned clockwise, the upper left corner of the picture comes to the upper right one of the display.
        const expected = upright.map((_sight, at) => upright[(at - quarters + 4) % 4]);
        await expect.poll(() => corners(kiosk, width, height)).toEqual(expected);
      }
    });
  }
}

test('a rotation that the server changes turns what is already shown', async ({ kiosk }) => {
  const still = await item('a', 'corners.png', { durationSeconds: 60 });
  await kiosk.push(playing('p1', [still]));
  await kiosk.reported('shown a');
  await expect.poll(() => corners(kiosk, 1280, 720)).toEqual(upright);
  await kiosk.push(turned(playing('p1', [still]), 180));
  await expect.poll(() => corners(kiosk, 1280, 720)).toEqual(['yellow', 'blue', 'red', 'green']);
  expect((await kiosk.reports()).length).toBe(1);
});

test('a picture that does not fit is whole, on an echo of its own colours and never on black', async ({ kiosk }) => {
  await kiosk.resize(1080, 1920);
  await kiosk.push(playing('p1', [await item('a', 'corners.png', { durationSeconds: 60, fit: 'contain' })]));
  await kiosk.reported('shown a');
  const middle = { top: 960 - 290, bottom: 960 + 290 };
  const at = (x: number, y: number) => sightOf(kiosk.display.pixel(x, y));
  await expect.poll(() => [at(8, middle.top), at(1071, middle.bottom)]).toEqual(['red', 'yellow']);
  const [red, green, blue] = kiosk.display.pixel(200, 150);
  expect(red, 'the strip above the red corner is a dim red').toBeGreaterThan(60);
  expect(Math.max(green, blue)).toBeLessThan(red / 2);
});

test('a rotated video is turned as well', async ({ kiosk }) => {
  await kiosk.push(turned(playing('p1', [await item('v', 'cyan.mp4', { durationSeconds: 60 })]), 90));
  await kiosk.reported('shown v');
  await expect.poll(() => corners(kiosk, 1280, 720)).toEqual(['cyan', 'cyan', 'cyan', 'cyan']);
});

test('a video is silent until its reveal, then as loud as the settings say', async ({ kiosk }) => {
  const quiet = (volume: number, muted: boolean): Snapshot => ({ ...program, sound: { volume, muted } });
  const program = playing('p1', [await item('v', 'cyan.mp4', { durationSeconds: 60 })]);
  const heard = () =>
    kiosk.page.evaluate(() => {
      const video = document.querySelector('video');
      return video && { volume: video.volume, muted: video.muted };
    });
  await kiosk.push(quiet(0.5, false));
  await kiosk.reported('shown v');
  await expect.poll(heard).toEqual({ volume: 0.5, muted: false });
  await kiosk.push(quiet(0.25, true));
  await expect.poll(heard).toEqual({ volume: 0.25, muted: true });
  await kiosk.push(quiet(0, false));
  await expect.poll(heard).toEqual({ volume: 0, muted: true });
});

test('every screen is turned with the display', async ({ kiosk }) => {
  await kiosk.push(turned({ ...device, state: 'starting' }, 90));
  const heading = kiosk.page.getByRole('heading', { level: 1 });
  await expect(heading).toBeVisible();
  await expect
    .poll(async () => {
      const box = await heading.boundingBox();
      return box !== null && box.height > box.width;
    })
    .toBe(true);
});
