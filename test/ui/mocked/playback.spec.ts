import { expect } from 'playwright/test';
import { bars, type Mark, readSight } from '../../bench/marks.ts';
import { clip, device, item, playing, streamItem, test, told } from './kiosk.ts';
import { sightOf } from './observer.ts';

/** The middle of each bar of a mark at the page's test size. */
const barsAcross = Array.from({ length: bars }, (_, bar) => Math.floor((1280 / bars) * (bar + 0.5)));

test('never shows a dark frame between items, whatever follows on whatever', async ({ kiosk }) => {
  const items = [
    // Longer than the others: it is looked at from a time on at which it is on all of the display.
    await item('a', 'red.png', { durationSeconds: 3 }),
    await item('b', 'cyan.mp4', { durationSeconds: null }),
    await item('c', 'yellow.webm', { durationSeconds: null }),
    await item('d', 'green.png', { transition: 'fade', durationSeconds: 2 }),
    await item('e', 'cyan.mp4', { transition: 'fade', durationSeconds: 2 }),
    await item('f', 'blue.png'),
  ];
  await kiosk.push(playing('p1', items));
  await kiosk.reported('shown a');
  await kiosk.painted('red');
  const observer = kiosk.observe();
  await kiosk.reported('shown a', 'shown b', 'shown c', 'shown d', 'shown e', 'shown f', 'shown a', 'shown b');
  // What was reported a moment ago comes onto the display.
  const story = ['red', 'cyan', 'yellow', 'green', 'cyan', 'blue', 'red', 'cyan'];
  await expect.poll(() => observer.clear().slice(0, 8), { intervals: [20] }).toEqual(story);
  observer.stop();
  expect(observer.sights).not.toContain('dark');
});

test('the look for dark frames finds one that is there', async ({ kiosk }) => {
  await kiosk.push(playing('p1', [await item('a', 'red.png', { durationSeconds: 60 })]));
  await kiosk.reported('shown a');
  await kiosk.painted('red');
  const observer = kiosk.observe();
  await kiosk.page.evaluate(async () => {
    const stage = document.querySelector<HTMLElement>('.stage');
    if (stage === null) throw new Error('no stage');
    stage.style.visibility = 'hidden';
    // A tenth of a second in frames: a busy machine may paint none in that time.
    for (let frame = 0; frame < 6; frame += 1) await new Promise(requestAnimationFrame);
    stage.style.visibility = 'visible';
  });
  await expect.poll(() => observer.sights.at(-1)).toBe('red');
  observer.stop();
  expect(observer.sights).toContain('dark');
});

test('reports every item in its order, each when it is on the display', async ({ kiosk }) => {
  const items = [await item('a', 'red.png'), await item('b', 'cyan.mp4'), await item('c', 'green.png')];
  await kiosk.push(playing('p1', items));
  await kiosk.reported('shown a', 'shown b', 'shown c', 'shown a');
  expect((await kiosk.reports()).slice(0, 4).map(told)).toEqual(['shown a', 'shown b', 'shown c', 'shown a']);
});

test('skips and reports what cannot be decoded, and plays the rest', async ({ kiosk }) => {
  const items = [
    await item('page', 'broken.png'),
    await item('cut', 'truncated.mp4'),
    await item('sound', 'audio-only.mp4'),
    await item('gone', 'red.png', { source: `player://media/${'0'.repeat(64)}` }),
    await item('good', 'blue.png'),
  ];
  await kiosk.push(playing('p1', items));
  await kiosk.reported('failed page decode', 'failed gone decode', 'shown good');
  const story = (await kiosk.reports()).map(told);
  expect(story.filter((line) => line.startsWith('failed cut '))).not.toEqual([]);
  expect(story).toContain('failed sound no-picture');
  expect(story.filter((line) => line.startsWith('shown '))).toEqual(['shown good']);
});

test('gives up on an item that is not ready in time', async ({ kiosk }) => {
  await kiosk.page.evaluate(() => {
    HTMLImageElement.prototype.decode = () => new Promise(() => {});
  });
  await kiosk.push(playing('p1', [await item('slow', 'red.png'), await item('v', 'cyan.mp4')]));
  await kiosk.reported('failed slow deadline', 'shown v');
});

test('never passes over a web page in silence', async ({ kiosk }) => {
  const web = await item('news', 'red.png', { kind: 'web', source: null });
  await kiosk.pages({ news: { state: 'failed', reason: 'http-status' } });
  await kiosk.push(playing('p1', [web, await item('a', 'red.png')]));
  await kiosk.reported('failed news http-status', 'shown a', 'failed news http-status');
});

test('has a web page prepared while another item is shown, raised in its turn and lowered after it', async ({
  kiosk,
}) => {
  const web = await item('news', 'red.png', { kind: 'web', source: null });
  await kiosk.pages({ news: { state: 'ready' } });
  await kiosk.push(playing('p1', [await item('a', 'red.png'), web, await item('b', 'green.png')]));
  await kiosk.reported('shown a', 'shown news', 'shown b');
  expect((await kiosk.viewCalls()).slice(0, 3)).toEqual(['prepare news', 'reveal', 'release']);
});

test('lowers a web page in time though what lies prepared beneath it does not move', async ({ kiosk }) => {
  const web = await item('news', 'red.png', { kind: 'web', source: null, durationSeconds: 4 });
  await kiosk.pages({ news: { state: 'ready' } });
  await kiosk.push(playing('p1', [web, await item('a', 'green.png', { durationSeconds: 60 })]));
  await kiosk.reported('shown news');
  await kiosk.page.evaluate(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    // Made so only after it was painted beneath.
    const isReady = () => document.querySelector<HTMLElement>('.surface:has(img)')?.style.opacity === '1';
    while (!isReady()) await frame();
    // From here on nothing says that a frame was painted.
    window.requestAnimationFrame = () => 0;
  });
  expect(await kiosk.viewCalls()).toEqual(['prepare news', 'reveal']);
  await expect.poll(kiosk.viewCalls, { timeout: 30_000 }).toEqual(['prepare news', 'reveal', 'release']);
  await expect.poll(() => sightOf(kiosk.display.pixel(640, 360))).toBe('green');
  expect((await kiosk.reports()).map(told)).toEqual(['shown news']);
});

test('a web page that fails twice while it waits gives way to the next item, unseen', async ({ kiosk }) => {
  const web = await item('news', 'red.png', { kind: 'web', source: null });
  const [a, c] = [await item('a', 'red.png', { durationSeconds: 10 }), await item('c', 'cyan.mp4')];
  await kiosk.pages({ news: { state: 'ready' } });
  await kiosk.push(playing('p1', [a, web, c]));
  await kiosk.reported('shown a');
  await expect.poll(kiosk.viewCalls).toEqual(['prepare news']);
  await kiosk.painted('red');
  await expect.poll(async () => (await kiosk.beats()).at(-1)).toMatchObject({ itemId: 'a', preparingId: null });
  const observer = kiosk.observe();
  const failed = 'failed news crashed';
  await kiosk.pushPage('news', { state: 'failed', reason: 'crashed' });
  await expect.poll(kiosk.viewCalls).toEqual(['prepare news', 'release', 'prepare news']);
  await expect.poll(async () => (await kiosk.beats()).at(-1)).toMatchObject({ itemId: 'a', preparingId: null });
  await kiosk.pushPage('news', { state: 'failed', reason: 'crashed' });
  await kiosk.reported('shown a', failed, failed, 'shown c');
  observer.stop();
  expect((await kiosk.reports()).slice(0, 4).map(told)).toEqual(['shown a', failed, failed, 'shown c']);
  expect((await kiosk.viewCalls()).slice(0, 4)).toEqual(['prepare news', 'release', 'prepare news', 'release']);
  expect(observer.sights).not.toContain('dark');
});

test('rests and tries again when nothing of a program can be shown', async ({ kiosk }) => {
  await kiosk.push(playing('p1', [await item('x', 'broken.png'), await item('y', 'broken.png')]));
  await kiosk.reported('failed x decode', 'failed y decode');
  await expect(kiosk.page.getByTestId('screen-standby')).toBeVisible();
  await expect(kiosk.page.getByTestId('screen-standby')).toContainText('cannot be shown');
  await kiosk.reported('failed x decode', 'failed y decode', 'failed x decode');
  await kiosk.push(playing('p2', [await item('a', 'green.png', { durationSeconds: 60 })]));
  await kiosk.reported('shown a');
  await expect(kiosk.page.getByTestId('screen-standby')).toBeHidden();
});

test('takes over a new program at the end of the item that is shown', async ({ kiosk }) => {
  const [a, b] = [await item('a', 'red.png', { durationSeconds: 3 }), await item('b', 'green.png')];
  await kiosk.push(playing('p1', [a, b]));
  await kiosk.reported('shown a');
  await kiosk.painted('red');
  const observer = kiosk.observe();
  await kiosk.push(playing('p2', [await item('c', 'blue.png'), await item('d', 'yellow.webm')]));
  await kiosk.reported('shown a', 'shown c', 'shown d');
  await expect.poll(() => observer.clear().slice(0, 3), { intervals: [20] }).toEqual(['red', 'blue', 'yellow']);
  observer.stop();
  expect((await kiosk.reports()).map(told)).not.toContain('shown b');
});

for (const { kind, digit } of [
  { kind: 'image', digit: 'f' },
  { kind: 'video', digit: 'e' },
  { kind: 'audio', digit: 'd' },
  { kind: 'stream', digit: '' },
] as const) {
  test(`the video of a new program stays on its surface where one of kind ${kind} was still being prepared`, async ({
    kiosk,
  }) => {
    const a = await item('a', 'red.png', { durationSeconds: 3 });
    const source = `player://media/${digit.repeat(64)}`;
    const hanging = digit === '' ? streamItem('h', 'hanging') : await item('h', 'red.png', { kind, source });
    await kiosk.push(playing('p1', [a, hanging]));
    await kiosk.reported('shown a');
    await expect.poll(async () => (await kiosk.beats()).at(-1)?.preparingId).toBe('h');
    await kiosk.painted('red');
    await kiosk.push(playing('p2', [a, await item('b', 'cyan.mp4', { durationSeconds: 2 })]));
    const observer = kiosk.observe();
    await kiosk.reported('shown a', 'shown b', 'shown a');
    observer.stop();
    expect((await kiosk.reports()).slice(0, 3).map(told)).toEqual(['shown a', 'shown b', 'shown a']);
    expect(observer.sights).toContain('cyan');
    expect(observer.sights).not.toContain('dark');
  });
}

test('goes on after the shown item when the new program still holds it', async ({ kiosk }) => {
  const [a, b, c] = [await item('a', 'red.png'), await item('b', 'green.png'), await item('c', 'blue.png')];
  await kiosk.push(playing('p1', [a, b]));
  await kiosk.reported('shown a');
  await kiosk.push(playing('p2', [c, a, b]));
  await kiosk.reported('shown a', 'shown b', 'shown c', 'shown a');
  expect((await kiosk.reports()).slice(0, 3).map(told)).toEqual(['shown a', 'shown b', 'shown c']);
});

for (const { how, durationSeconds } of [
  { how: 'played once to its end, again and again', durationSeconds: null },
  { how: 'that has a longer time', durationSeconds: 60 },
]) {
  test(`a video alone in its program, ${how}, goes round without a gap and without standing still`, async ({
    kiosk,
  }) => {
    await kiosk.push(playing('p1', [await item('v', 'marks/video-6.mp4', { durationSeconds })]));
    await kiosk.reported('shown v');
    const rows = () => [100, 360, 620].map((y) => barsAcross.map((x) => kiosk.display.pixel(x, y)[1]));
    await expect.poll(() => typeof readSight(rows())).toBe('object');
    const lost = await kiosk.lostTime();
    const seen: { readonly sight: Mark | 'black'; readonly atMs: number }[] = [];
    const timer = setInterval(() => {
      const sight = readSight(rows());
      if (sight !== 'torn') seen.push({ sight, atMs: Date.now() });
    }, 4);
    const frames = () => seen.map(({ sight }) => (sight === 'black' ? -1 : sight.frame));
    /** The last frames of the clip, then its first ones. */
    const isRound = () => {
      const last = frames().findIndex((frame) => frame >= 145);
      return (
        last >= 0 &&
        frames()
          .slice(last)
          .some((frame) => frame >= 5 && frame <= 40)
      );
    };
    try {
      await expect.poll(isRound, { timeout: 30_000 }).toBe(true);
    } finally {
      clearInterval(timer);
    }
    expect(frames()).not.toContain(-1);
    let from = seen[0]?.atMs ?? Number.NaN;
    for (const [at, frame] of frames().entries()) {
      const { atMs } = seen[at] as (typeof seen)[number];
      // Half a second is fifteen frames; what a busy machine did not paint is no fault.
      if (frame !== frames()[at - 1]) from = seen[at]?.atMs as number;
      else if (atMs - from > 500) expect(atMs - from - (await lost(from, atMs)), `frame ${frame}`).toBeLessThan(500);
    }
  });
}

test('moves on when a video stands still', async ({ kiosk }) => {
  const items = [await item('v', 'cyan.mp4', { durationSeconds: 30 }), await item('a', 'red.png')];
  await kiosk.push(playing('p1', items));
  await kiosk.reported('shown v');
  await kiosk.page.evaluate(() => document.querySelector('video')?.pause());
  await kiosk.reported('shown v', 'failed v stalled', 'shown a');
});

test('shows all of a picture on a blurred echo of itself, or fills the display with it', async ({ kiosk }) => {
  await kiosk.push(playing('p1', [await item('a', 'square.jpg', { fit: 'contain', durationSeconds: 60 })]));
  await kiosk.reported('shown a');
  await kiosk.screenshot('contain');
  const isDimmedOrange = () => {
    const [red, green, blue] = kiosk.display.pixel(60, 360);
    return red > 60 && red < 200 && red > green && green > blue;
  };
  await expect.poll(isDimmedOrange, { message: 'dimmed orange beside the picture' }).toBe(true);
  await kiosk.restart(playing('p2', [await item('a', 'square.jpg', { fit: 'cover', durationSeconds: 60 })]));
  await kiosk.reported('shown a');
  const [beside, middle] = [() => kiosk.display.pixel(60, 360), () => kiosk.display.pixel(640, 360)];
  await expect.poll(() => [beside(), middle()].map(sightOf)).toEqual(['orange', 'orange']);
  expect(beside()).toEqual(middle());
});

test('going to standby fades from the last frame to the screen and empties the surfaces', async ({ kiosk }) => {
  await kiosk.push(playing('p1', [await item('v', 'cyan.mp4', { durationSeconds: 30 })]));
  await kiosk.reported('shown v');
  expect(await kiosk.page.locator('video').count()).toBeGreaterThan(0);
  await kiosk.push({ ...device, state: 'standby', reason: 'nothing-scheduled' });
  await expect(kiosk.page.getByTestId('screen-standby')).toBeVisible();
  await expect(kiosk.page.locator('video')).toHaveCount(0);
});

test('loads media by digest only', async ({ kiosk }) => {
  expect(await clip('red.png')).toMatch(/^player:\/\/media\/[0-9a-f]{64}$/);
  await kiosk.push(playing('p1', [await item('a', 'red.png', { durationSeconds: 60 })]));
  await kiosk.reported('shown a');
  expect(kiosk.complaints).toEqual([]);
});
