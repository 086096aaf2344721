/** HLS streams on the real page: main's real rewriting and serving of them, from files instead of servers. */
import { expect } from 'playwright/test';
import { item, playing, streamItem, test, told } from './kiosk.ts';

/** Of variants, of segments, of one file's parts, and under a key; the colour of each. */
const streams = { variants: 'yellow', ranges: 'blue', locked: 'cyan' } as const;

test('streams come and go between each other and pictures without a dark frame', async ({ kiosk }) => {
  const shown = Object.keys(streams).map((name) => streamItem(name, name, { durationSeconds: 1.5 }));
  const items = [await item('a', 'red.png'), ...shown, await item('b', 'green.png')];
  await kiosk.push(playing('p1', items));
  await kiosk.reported('shown a');
  await kiosk.painted('red');
  const observer = kiosk.observe();
  await kiosk.reported('shown a', 'shown variants', 'shown ranges', 'shown locked', 'shown b', 'shown a');
  observer.stop();
  expect(new Set(observer.clear())).toEqual(new Set(['red', ...Object.values(streams), 'green']));
  expect(observer.sights).not.toContain('dark');
  expect(kiosk.complaints).toEqual([]);
});

test('plays a stream once to its end, and over and over when it is alone', async ({ kiosk }) => {
  await kiosk.push(playing('p1', [streamItem('s', 'ranges', { durationSeconds: null })]));
  await kiosk.reported('shown s');
  await kiosk.painted('blue');
  const observer = kiosk.observe();
  await kiosk.reported('shown s', 'shown s');
  observer.stop();
  expect(observer.sights).toEqual(['blue']);
  expect((await kiosk.reports()).map(told)).not.toContain('failed s stalled');
});

test('a stream shorter than its time goes round', async ({ kiosk }) => {
  await kiosk.push(playing('p1', [streamItem('s', 'segments', { durationSeconds: 5 }), await item('a', 'red.png')]));
  await kiosk.reported('shown s');
  const rounds = await kiosk.page.evaluateHandle(() => {
    const begun = { again: 0 };
    document.querySelector('video')?.addEventListener('seeking', () => {
      begun.again += 1;
    });
    return begun;
  });
  await kiosk.painted('yellow');
  const observer = kiosk.observe();
  await kiosk.reported('shown s', 'shown a');
  await expect.poll(() => observer.sights, { intervals: [20] }).toContain('red');
  observer.stop();
  expect((await kiosk.reports()).slice(0, 2).map(told)).toEqual(['shown s', 'shown a']);
  const seen = observer.clear();
  expect(new Set(seen.slice(0, seen.indexOf('red')))).toEqual(new Set(['yellow']));
  // A last frame that stands is no round.
  expect((await rounds.jsonValue()).again).toBeGreaterThan(0);
});

test('passes over a stream that does not come, for the reason that main gives', async ({ kiosk }) => {
  const items = [streamItem('s', 'missing'), await item('a', 'red.png')];
  await kiosk.push(playing('p1', items));
  await kiosk.reported('failed s http-status', 'shown a');
});

test('a stream that ends for good while it waits begins anew, unseen, and is shown in its turn', async ({ kiosk }) => {
  const [a, c] = [await item('a', 'red.png', { durationSeconds: 20 }), await item('c', 'green.png')];
  await kiosk.push(playing('p1', [a, streamItem('s', 'breaking'), c]));
  await kiosk.reported('shown a');
  await kiosk.page.waitForFunction(
    () => document.querySelector<HTMLElement>('.surface:has(video)')?.style.opacity === '0.001',
  );
  expect((await kiosk.reports()).map(told)).toEqual(['shown a']);
  await kiosk.painted('red');
  const observer = kiosk.observe();
  await kiosk.reported('shown a', 'failed s http-status', 'shown s');
  observer.stop();
  expect((await kiosk.reports()).slice(0, 3).map(told)).toEqual(['shown a', 'failed s http-status', 'shown s']);
  expect(observer.sights).not.toContain('dark');
});

test('gives a stream back: no video and no object of it stays', async ({ kiosk }) => {
  await kiosk.push(playing('p1', [streamItem('s', 'segments', { durationSeconds: 1 }), await item('a', 'red.png')]));
  await kiosk.reported('shown s', 'shown a', 'shown s');
  await kiosk.push(playing('p2', [await item('b', 'green.png', { durationSeconds: 60 })]));
  await kiosk.reported('shown b');
  await expect(kiosk.page.locator('video')).toHaveCount(0);
});

test('the page may ask for streams by number and for nothing else', async ({ kiosk }) => {
  const outcome = await kiosk.page.evaluate(async () => {
    const ask = (address: string) =>
      fetch(address).then(
        (reply) => reply.status,
        () => 'refused',
      );
    const id = '0'.repeat(32);
    return Promise.all(
      [
        `player://stream/${id}/5`,
        'player://app/app.js',
        'https://example.com/',
        `player://media/${'0'.repeat(64)}`,
      ].map(ask),
    );
  });
  expect(outcome).toEqual([404, 'refused', 'refused', 'refused']);
});
