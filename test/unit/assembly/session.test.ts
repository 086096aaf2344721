import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { finishRekey } from '../../../electron/assembly/rekey.ts';
import { type Asked, screenSession } from '../../support/screen-session.ts';

const dayMs = 86_400_000;
const longestMs = 60_000;

/** A whole second at least so many milliseconds from now. */
const secondAfter = (ms: number) => Math.ceil((Date.now() + ms) / 1_000) * 1_000;

/** What a server that has nothing to say answers. */
const anythingElse = ({ path, say }: Asked) => say(path.endsWith('/roots') ? 404 : 200, {});

test('a renewal whose answer comes as the key is changed takes no certificate from the new key', async (t) => {
  for (let lateMs = 0; lateMs <= 24; lateMs += 4) {
    let answerRenewal = () => {};
    const at = await screenSession(secondAfter(dayMs), async (asked) => {
      if (asked.path.endsWith('/events')) asked.stream('renew', 'rekey');
      else if (asked.path.endsWith('/certificate')) {
        const { isOld, issue } = await asked.request();
        if (!isOld) return issue('screen-next');
        answerRenewal = () => {
          answerRenewal = () => {};
          issue('screen-renewed');
        };
        // Where a change of the key waits for the renewal nothing else lets it go.
        setTimeout(() => answerRenewal(), 500);
      } else if (asked.path.endsWith('/playlist') && asked.shown === 'screen-next') {
        asked.say(200, {});
        setTimeout(() => answerRenewal(), lateMs);
      } else anythingElse(asked);
    });
    t.after(at.close);
    const end = await at.run(AbortSignal.timeout(longestMs));
    assert.deepEqual([end, at.onDisk()], ['rekeyed', 'ok'], `${lateMs} ms`);
  }
});

test('a renewal that waits for a change of the key is not asked for once that has worked', async (t) => {
  const requests: string[] = [];
  let pushes: ServerResponse | undefined;
  const at = await screenSession(secondAfter(dayMs), async (asked) => {
    if (asked.path.endsWith('/events')) pushes = asked.stream('rekey');
    else if (asked.path.endsWith('/certificate')) {
      const { isOld, issue } = await asked.request();
      requests.push(isOld ? 'renewal' : 'change');
      if (isOld) return issue('screen-renewed');
      pushes?.write('event: certificate\ndata: renew\n\n');
      setTimeout(() => issue('screen-next'), 300);
    } else anythingElse(asked);
  });
  t.after(at.close);
  assert.equal(await at.run(AbortSignal.timeout(longestMs)), 'rekeyed');
  assert.deepEqual([requests, at.onDisk()], [['change'], 'ok']);
});

test('a key that is changed as the old certificate ends is a key that was changed', async (t) => {
  const endMs = secondAfter(2_000);
  const at = await screenSession(endMs, async (asked) => {
    if (asked.path.endsWith('/events')) asked.stream('rekey');
    else if (asked.path.endsWith('/certificate')) {
      const { isOld, issue } = await asked.request();
      if (isOld) asked.say(503, {});
      else issue('screen-next');
    } else if (asked.path.endsWith('/playlist') && asked.shown === 'screen-next')
      setTimeout(() => asked.say(200, {}), endMs + 1_500 - Date.now());
    else anythingElse(asked);
  });
  t.after(at.close);
  assert.equal(await at.run(AbortSignal.timeout(longestMs)), 'rekeyed');
  assert.equal(at.onDisk(), 'ok');
});

test('a disk that fails once the key has gone on does not keep the old key: opening the identity finishes the change', async (t) => {
  const at = await screenSession(secondAfter(dayMs), async (asked) => {
    const certificate = join(at.directory, 'certificate.pem');
    if (asked.path.endsWith('/events')) asked.stream('rekey');
    else if (asked.path.endsWith('/certificate')) (await asked.request()).issue('screen-next');
    else if (asked.shown === 'screen-next') {
      // A folder that is not empty: nothing can take its place.
      await rm(certificate);
      await mkdir(certificate);
      await writeFile(join(certificate, 'in-the-way'), '');
      asked.say(200, {});
    } else anythingElse(asked);
  });
  t.after(at.close);
  assert.equal(await at.run(AbortSignal.timeout(longestMs)), 'rekeyed');
  await assert.rejects(finishRekey(at.settings), { code: 'STATE_UNWRITABLE' });
  await rm(join(at.directory, 'certificate.pem'), { recursive: true });
  await finishRekey(at.settings);
  assert.equal(at.onDisk(), 'ok');
});

test('a renewed certificate is the one that the server sees, whatever connections were kept, and the old one may end', async (t) => {
  const endMs = secondAfter(3_000);
  const seen: string[] = [];
  const streams: { readonly shown: string; readonly pushes: ServerResponse }[] = [];
  const over = new AbortController();
  const at = await screenSession(endMs, async (asked) => {
    // As the reference server does at every request.
    if (!asked.isDated) return asked.say(401, {});
    if (asked.path.endsWith('/playlist')) seen.push(asked.shown);
    if (asked.path.endsWith('/events'))
      streams.push({ shown: asked.shown, pushes: asked.stream(...(streams.length === 0 ? ['renew'] : [])) });
    else if (asked.path.endsWith('/certificate')) (await asked.request()).issue('screen-renewed');
    else anythingElse(asked);
  });
  t.after(at.close);
  const running = assert.rejects(at.run(over.signal));
  const until = async (isSo: () => boolean) => {
    for (const startedMs = Date.now(); !isSo(); await delay(20))
      assert.ok(Date.now() - startedMs < longestMs, JSON.stringify([seen, streams.map(({ shown }) => shown), at.told]));
  };
  await until(() => streams.at(-1)?.shown === 'screen-renewed');
  await until(() => Date.now() > endMs + 1_000);
  const before = seen.length;
  streams.at(-1)?.pushes.write('event: playlist\ndata: x\n\n');
  await until(() => seen.length > before || at.told.includes('suspended'));
  over.abort();
  await running;
  assert.deepEqual(
    streams.map(({ shown }) => shown),
    ['screen-old', 'screen-renewed'],
  );
  assert.equal(seen.at(-1), 'screen-renewed');
  assert.deepEqual(
    at.told.filter((type) => type === 'suspended'),
    [],
  );
});
