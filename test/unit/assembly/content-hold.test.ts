/** What is on the display stays on the disk and keeps its address, whatever is published and prepared meanwhile. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { documentOf, green, lost, red, screenContent } from '../../support/screen-content.ts';

const bothBytes = red.bytes.length + green.bytes.length;

/** Turns of the event loop until something holds; timers stand. */
async function until(holds: () => boolean, withinMs = 30_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (performance.now() < endMs && !holds()) await new Promise((resolve) => setImmediate(resolve));
}

test('a file that was proven after the index was lost is not evicted for what comes next', async (t) => {
  const { folder, fetch } = await screenContent(t);
  await fetch(documentOf(7, [red]));
  writeFileSync(join(folder, 'store/index.json'), 'x');
  const { content, playing, ...again } = await screenContent(t, folder, { budgetBytes: green.bytes.length + 20 });
  const over = new AbortController();
  const caring = content.care(over.signal).catch(() => undefined);
  await until(() => playing().length > 0);
  assert.deepEqual(playing(), ['red']);
  await assert.rejects(again.fetch(documentOf(8, [green, lost]), '"8"'));
  assert.ok(content.locate(red.hash), 'it is on the screen');
  assert.equal(content.known().etag, '"7"');
  over.abort();
  await caring;
});

test('progressive: a file that came after the rest is not evicted for a playlist that is given up', async (t) => {
  const other = { ...lost, name: 'other', bytes: Buffer.alloc(green.bytes.length) };
  const { content, fetch, playing } = await screenContent(t, undefined, {
    partialPlaylist: 'progressive',
    budgetBytes: bothBytes + 20,
    before: async (path, over) => {
      if (path === '/green') await until(() => playing().length > 0);
      if (path === '/lost') await once(over, 'abort');
    },
  });
  let ask = () => {};
  const documents = [documentOf(7, [red, green, lost]), documentOf(8, [red, other])];
  const syncing = fetch('', '', {
    download: async () => ({ type: 'document', text: documents.shift() ?? '', etag: undefined }),
    askAgain: (over) =>
      new Promise((resolve, reject) => {
        ask = resolve;
        over.addEventListener('abort', () => reject(over.reason));
      }),
  });
  await until(() => {
    t.mock.timers.tick(1_000);
    return playing().length === 2;
  });
  assert.deepEqual(playing(), ['red', 'green']);
  t.mock.timers.tick(90_000);
  ask();
  await assert.rejects(syncing);
  assert.ok(content.locate(green.hash), 'it is on the screen');
});

test('offline: a file that only the disk knows is shown once it is proven', async (t) => {
  const { folder, fetch } = await screenContent(t);
  await fetch();
  const file = join(folder, 'store/index.json');
  const [, text = ''] = readFileSync(file, 'utf8').split('\n');
  const index = JSON.parse(text);
  index.media = index.media.filter(({ hash }: { readonly hash: string }) => hash !== green.hash);
  const without = `${JSON.stringify(index)}\n`;
  const sha256 = createHash('sha256').update(without).digest('hex');
  writeFileSync(file, `${JSON.stringify({ version: 2, sha256 })}\n${without}`);
  const { content, playing } = await screenContent(t, folder);
  assert.deepEqual(playing(), ['red']);
  const over = new AbortController();
  const caring = content.care(over.signal).catch(() => undefined);
  await until(() => playing().length === 2);
  assert.deepEqual(playing(), ['red', 'green']);
  over.abort();
  await caring;
});

test('a web page on the display keeps its address over several publications, until it has left', async (t) => {
  const { content, fetch } = await screenContent(t);
  const withPage = (version: number) => {
    const document = JSON.parse(documentOf(version, [red]));
    const asset = {
      id: 'w',
      type: 'web',
      title: '',
      asset_url: 'https://web.example',
      headers: {},
      status: 'finished',
    };
    document.playlists[0].items.push({ id: `page-${version}`, position: 1, duration: 300, asset });
    return JSON.stringify(document);
  };
  for (const version of [7, 8, 9]) await fetch(withPage(version), `"${version}"`);
  assert.deepEqual(
    [7, 8, 9, 10].map((version) => content.webPage(`page-${version}`) !== null),
    [true, true, true, false],
  );
  t.mock.timers.tick(90_000);
  assert.deepEqual(
    [7, 8, 9].map((version) => content.webPage(`page-${version}`) !== null),
    [false, false, true],
  );
});
