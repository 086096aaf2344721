/** HLS streams on the real page: main's real rewriting and serving of them, from files instead of servers. */
import { expect } from 'playwright/test';
import { item, playing, streamItem, test, told } from './kiosk.ts';
import { sightOf } from './observer.ts';

test('comes and goes between pictures without a dark frame', async ({ kiosk }) => {
  const items = [await item('a', 'red.png'), streamItem('s', 'variants'), await item('b', 'green.png')];
  await kiosk.push(playing('p1', items));
  await kiosk.reported('shown a');
  await expect.poll(() => sightOf(kiosk.display.pixel(640, 360))).toBe('red');
  const observer = kiosk.observe();
  await kiosk.reported('shown a', 'shown s', 'shown b', 'shown a', 'shown s', 'shown b');
  observer.stop();
  expect(observer.clear().slice(0, 4)).toEqual(['red', 'yellow', 'green', 'red']);
  expect(observer.sights).not.toContain('dark');
  expect(kiosk.complaints).toEqual([]);
});

for (const [what, name, sight] of [
  ['of one file’s parts', 'ranges', 'blue'],
  ['under a key', 'locked', 'cyan'],
] as const)
  test(`plays a stream ${what} once to its end, and over and over when it is alone`, async ({ kiosk }) => {
    await kiosk.push(playing('p1', [streamItem('s', name, { durationSeconds: null })]));
    await kiosk.reported('shown s');
    await expect.poll(() => sightOf(kiosk.display.pixel(640, 360))).toBe(sight);
    const observer = kiosk.observe();
    await kiosk.reported('shown s', 'shown s');
    observer.stop();
    expect(observer.sights).toEqual([sight]);
    expect((await kiosk.reports()).map(told)).not.toContain('failed s stalled');
  });

test('a stream shorter than its time goes round', async ({ kiosk }) => {
  await kiosk.push(playing('p1', [streamItem('s', 'segments', { durationSeconds: 6 }), await item('a', 'red.png')]));
  await kiosk.reported('shown s');
  await expect.poll(() => sightOf(kiosk.display.pixel(640, 360))).toBe('yellow');
  const observer = kiosk.observe();
  await kiosk.reported('shown s', 'shown a');
  observer.stop();
  expect((await kiosk.reports()).map(told)).toEqual(['shown s', 'shown a']);
  expect(observer.sights.slice(0, 2)).toEqual(['yellow', 'red']);
});

test('passes over a stream that does not come, for the reason that main gives', async ({ kiosk }) => {
  const items = [streamItem('s', 'missing'), await item('a', 'red.png')];
  await kiosk.push(playing('p1', items));
  await kiosk.reported('failed s http-status', 'shown a');
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
