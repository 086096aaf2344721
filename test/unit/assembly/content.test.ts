import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leftOutMs } from '../../../electron/assembly/suspicion.ts';
import { documentOf, green, lost, red, screenContent } from '../../support/screen-content.ts';

test('a file with which the page died twice is not shown any more; the rest of the program plays', async (t) => {
  const { content, fetch, playing, killers } = await screenContent(t);
  await fetch();
  assert.deepEqual(playing(), ['red', 'green']);
  content.pageDied(green.hash);
  assert.deepEqual([playing(), killers()], [['red', 'green'], []]);
  content.pageDied(red.hash);
  assert.deepEqual([playing(), killers()], [['red', 'green'], []]);
  content.pageDied(green.hash);
  assert.deepEqual([playing(), killers()], [['red'], [green.hash]]);
  content.pageDied(green.hash);
  assert.deepEqual([playing(), killers()], [['red'], [green.hash]], 'it is said once');
});

test('such a file has another chance after a day, and is out again when the page dies of it again', async (t) => {
  const { content, fetch, playing } = await screenContent(t);
  await fetch();
  const [monotonicMs, wallMs] = [performance.now(), Date.now()];
  let laterMs = 0;
  t.mock.method(performance, 'now', () => monotonicMs + laterMs);
  t.mock.method(Date, 'now', () => wallMs + laterMs);
  const die = () => {
    for (let death = 0; death < 2; death++) content.pageDied(green.hash);
  };
  die();
  t.mock.timers.tick(leftOutMs - 1);
  assert.deepEqual(playing(), ['red']);
  laterMs = leftOutMs;
  t.mock.timers.tick(1);
  assert.deepEqual(playing(), ['red', 'green']);
  die();
  assert.deepEqual(playing(), ['red']);
});

test('such a file stays out when the same playlist comes again, and is not fetched again', async (t) => {
  const { content, fetch, playing } = await screenContent(t);
  await fetch();
  for (let death = 0; death < 2; death++) content.pageDied(green.hash);
  await fetch();
  assert.deepEqual(playing(), ['red']);
  assert.equal(content.known().etag, '"7"', 'nothing is missing that a sync would have to bring');
});

test('a screen that was removed forgets what it suspected, with everything else', async (t) => {
  const { content, fetch, playing } = await screenContent(t);
  await fetch();
  for (let death = 0; death < 2; death++) content.pageDied(green.hash);
  await content.forget();
  assert.deepEqual(content.known(), { etag: undefined, version: undefined, screenId: undefined, nowMs: undefined });
  await fetch();
  assert.deepEqual(playing(), ['red', 'green']);
});

test('after a restart the last good playlist says whose it is and when it was made', async (t) => {
  const first = await screenContent(t);
  await first.fetch();
  const { content, playing } = await screenContent(t, first.folder);
  assert.deepEqual(playing(), ['red', 'green']);
  assert.deepEqual(content.known(), { etag: '"7"', version: 7, screenId: 's1', nowMs: Date.UTC(2027, 0, 1) });
});

const isCode = (code: string) => (thrown: unknown) => (thrown as { code?: string }).code === code;

test('strict: of a playlist that cannot be had whole nothing is shown, and the old one plays on', async (t) => {
  const { content, fetch, playing } = await screenContent(t);
  await fetch(documentOf(7, [red]));
  await assert.rejects(fetch(documentOf(8, [green, lost]), '"8"'), isCode('MEDIA_MISSING'));
  assert.deepEqual(playing(), ['red']);
  assert.deepEqual([content.known().version, content.known().etag], [7, '"7"']);
  assert.ok(content.locate(green.hash), 'what came is kept for the next try');
});

test('progressive: what is there plays, and the tag is withheld until the rest is', async (t) => {
  const { folder, content, fetch, playing, lines } = await screenContent(t, undefined, {
    partialPlaylist: 'progressive',
  });
  await fetch(documentOf(7, [red]));
  await assert.rejects(fetch(documentOf(8, [green, lost]), '"8"'), isCode('MEDIA_MISSING'));
  assert.deepEqual(playing(), ['green']);
  assert.deepEqual([content.known().version, content.known().etag], [8, undefined]);
  assert.ok(
    lines.some((line) => line.includes('item-omitted') && line.includes('not-cached')),
    'the rest is reported',
  );
  const again = await screenContent(t, folder, { partialPlaylist: 'progressive' });
  assert.deepEqual(again.playing(), ['green'], 'also after a restart');
});

test('progressive: with nothing of it here, the old one plays on', async (t) => {
  const { fetch, playing } = await screenContent(t, undefined, { partialPlaylist: 'progressive' });
  await fetch(documentOf(7, [red]));
  await assert.rejects(fetch(documentOf(8, [lost]), '"8"'), isCode('MEDIA_MISSING'));
  assert.deepEqual(playing(), ['red']);
});

test('what is on the screen and what comes next is not evicted, whatever the budget; what nobody wants is', async (t) => {
  const budgetBytes = red.bytes.length + green.bytes.length - 1;
  const { content, fetch, playing } = await screenContent(t, undefined, { budgetBytes });
  /** @param withinMs until the green one is gone; where it must stay, as long as it would have had to go */
  const evicted = async (withinMs: number) => {
    // The program before has left the screen by then.
    t.mock.timers.tick(90_000);
    const endMs = performance.now() + withinMs;
    while (performance.now() < endMs && content.locate(green.hash) !== null)
      await new Promise((resolve) => setImmediate(resolve));
  };
  await fetch(documentOf(7, [red]));
  await assert.rejects(fetch(documentOf(8, [green, lost]), '"8"'), isCode('MEDIA_MISSING'));
  await evicted(100);
  assert.ok(content.locate(red.hash), 'it is on the screen');
  assert.ok(content.locate(green.hash), 'it is of the program that is being prepared');
  // The server thinks better of it: nobody wants the green one any more.
  await fetch(documentOf(9, [red]), '"9"');
  await evicted(10_000);
  assert.equal(content.locate(green.hash), null);
  assert.ok(content.locate(red.hash));
  assert.deepEqual(playing(), ['red']);
});

test('the program before stays on the disk until it has left the screen, and no longer', async (t) => {
  const { content, fetch, playing } = await screenContent(t, undefined, { budgetBytes: green.bytes.length });
  await fetch(documentOf(7, [red]));
  await fetch(documentOf(8, [green]), '"8"');
  assert.deepEqual(playing(), ['green']);
  t.mock.timers.tick(89_999);
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(content.locate(red.hash), 'the page may show it still');
  t.mock.timers.tick(1);
  const endMs = performance.now() + 10_000;
  while (performance.now() < endMs && content.locate(red.hash) !== null)
    await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([content.locate(red.hash), content.locate(green.hash)?.hash], [null, green.hash]);
});
