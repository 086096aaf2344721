import { expect } from 'playwright/test';
import type { Fit, Rotation, Snapshot } from '../../../electron/ipc/contract.ts';
import type { Kiosk } from './kiosk.ts';
import { device, item, playing, streamItem, test, told } from './kiosk.ts';
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

/** What stands a little inside of the middles of the four sides, clockwise from above. */
function sides(kiosk: Kiosk, width: number, height: number): Sight[] {
  const [middle, halfway] = [Math.floor(width / 2), Math.floor(height / 2)];
  const places = [
    [middle, 8],
    [width - 9, halfway],
    [middle, height - 9],
    [8, halfway],
  ] as const;
  return places.map(([x, y]) => sightOf(kiosk.display.pixel(x, y)));
}

for (const { width, height } of sizes) {
  test(`cover crops what fill keeps, undistorted or whole, at ${width} × ${height}`, async ({ kiosk }) => {
    await kiosk.resize(width, height);
    // Square, cyan, with a rim of another colour on each side that is a tenth of it wide.
    const rims = ['red', 'green', 'yellow', 'blue'] as const;
    const expected = {
      fill: rims,
      cover: rims.map((rim, side) => (side % 2 === (width > height ? 0 : 1) ? 'cyan' : rim)),
    };
    for (const fit of ['fill', 'cover'] as const) {
      await kiosk.restart(playing(fit, [await item(fit, 'rims.png', { durationSeconds: 60, fit })]));
      await kiosk.reported(`shown ${fit}`);
      await expect.poll(() => sides(kiosk, width, height), { message: fit }).toEqual(expected[fit]);
    }
  });
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
  const isDimRed = () => {
    const [red, green, blue] = kiosk.display.pixel(200, 150);
    return red > 60 && Math.max(green, blue) < red / 2;
  };
  await expect.poll(isDimRed, { message: 'the strip above the red corner is a dim red' }).toBe(true);
});

test('a rotated video is turned as well', async ({ kiosk }) => {
  await kiosk.push(turned(playing('p1', [await item('v', 'cyan.mp4', { durationSeconds: 60 })]), 90));
  await kiosk.reported('shown v');
  await expect.poll(() => corners(kiosk, 1280, 720)).toEqual(['cyan', 'cyan', 'cyan', 'cyan']);
});

for (const { what, sounding } of [
  { what: 'a video', sounding: () => item('s', 'matrix/h264-aac.mp4', { durationSeconds: 60 }) },
  { what: 'a sound', sounding: () => item('s', 'matrix/tone.mp3', { durationSeconds: 60 }) },
  { what: 'a stream', sounding: async () => streamItem('s', 'segments', { durationSeconds: 60 }) },
]) {
  test(`${what} is silent until its reveal, then as loud as the settings say`, async ({ kiosk }) => {
    const picture = await item('a', 'red.png', { durationSeconds: 4 });
    const program = playing('p1', [picture, await sounding()]);
    const quiet = (volume: number, muted: boolean): Snapshot => ({ ...program, sound: { volume, muted } });
    const heard = () =>
      kiosk.page.evaluate(() => {
        const media = [...document.querySelectorAll<HTMLMediaElement>('video, audio')];
        return media.map(({ volume, muted, paused }) => ({ volume, muted, paused }));
      });
    await kiosk.push(quiet(0.5, false));
    await kiosk.reported('shown a');
    await expect
      .poll(async () => (await heard()).map(({ muted, paused }) => ({ muted, paused })))
      .toEqual([{ muted: true, paused: true }]);
    expect((await kiosk.reports()).map(told), 'prepared before its turn').toEqual(['shown a']);
    await kiosk.reported('shown s');
    await expect.poll(heard).toContainEqual({ volume: 0.5, muted: false, paused: false });
    await kiosk.push(quiet(0.25, true));
    await expect.poll(heard).toContainEqual({ volume: 0.25, muted: true, paused: false });
    await kiosk.push(quiet(0, false));
    await expect.poll(heard).toContainEqual({ volume: 0, muted: true, paused: false });
  });
}

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
