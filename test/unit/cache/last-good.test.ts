import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createLastGoodFile } from '../../../electron/cache/last-good.ts';
import { PlayerError } from '../../../electron/errors.ts';

describe('the last good playlist', () => {
  let folder = '';
  const path = () => join(folder, 'playlist', 'last-good');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'signet-last-good-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('counts as none, set aside, when a byte of it changed', async () => {
    const file = createLastGoodFile(path());
    await file.keep({ text: '{"version":42}', etag: '"42"' });
    const whole = await readFile(path(), 'utf8');
    for (const [damaged, reason] of [
      [whole.replace('42}', '43}'), 'digest'],
      [whole.slice(0, -1), 'digest'],
      [whole.slice(0, 20), 'no header'],
      ['\0'.repeat(whole.length), 'no header'],
      ['', 'no header'],
    ] as const) {
      await writeFile(path(), damaged);
      assert.deepEqual(await file.read(), { found: 'damaged', reason });
      assert.deepEqual(await readdir(join(folder, 'playlist')), ['last-good.damaged']);
      assert.deepEqual(await file.read(), { found: 'nothing' });
    }
  });

  it('counts as none where the disk cannot read it, also where it cannot be set aside', async () => {
    const file = createLastGoodFile(path());
    await mkdir(join(path(), 'inside'), { recursive: true });
    await mkdir(join(`${path()}.damaged`, 'inside'), { recursive: true });
    for (let start = 0; start < 2; start++)
      assert.deepEqual(await file.read(), { found: 'damaged', reason: 'EISDIR' }, 'the player starts');
    await rm(path(), { recursive: true });
    await file.keep({ text: 'new', etag: undefined });
    assert.deepEqual(await file.read(), { found: 'document', lastGood: { text: 'new', etag: undefined } });
  });

  it('keeps the one before when a new one cannot be written', async () => {
    const file = createLastGoodFile(path());
    await file.keep({ text: 'old', etag: undefined });
    await rm(`${path()}.new`, { force: true, recursive: true });
    await mkdir(`${path()}.new`);
    await assert.rejects(
      file.keep({ text: 'new', etag: undefined }),
      (thrown) => thrown instanceof PlayerError && thrown.code === 'STORE_FAILED',
    );
    assert.deepEqual(await file.read(), { found: 'document', lastGood: { text: 'old', etag: undefined } });
  });

  it('is not written again where it is on the disk already: a server without entity tags sends it every minute', async () => {
    const file = createLastGoodFile(path());
    const inode = async () => (await stat(path())).ino;
    for (const etag of [undefined, '"7"']) {
      await file.keep({ text: 'the same', etag });
      const first = await inode();
      await file.keep({ text: 'the same', etag });
      assert.equal(await inode(), first);
      const later = createLastGoodFile(path());
      await later.read();
      await later.keep({ text: 'the same', etag });
      assert.equal(await inode(), first, 'nor after a restart');
    }
    const before = await inode();
    await file.keep({ text: 'another', etag: '"7"' });
    assert.notEqual(await inode(), before);
    for (const lose of [() => rm(path()), () => file.forget(), () => writeFile(path(), 'x').then(file.read)]) {
      await lose();
      await file.keep({ text: 'another', etag: '"7"' });
      assert.equal((await file.read()).found, 'document', 'one that was lost is written');
    }
  });

  it('is not read when longer than any document', async () => {
    const file = createLastGoodFile(path());
    await file.keep({ text: 'x', etag: undefined });
    await writeFile(path(), Buffer.alloc(17 * 2 ** 20 + 1));
    assert.deepEqual(await file.read(), { found: 'damaged', reason: 'too long' });
  });

  it('comes back as it was, with its tag, readable by the player alone', async () => {
    const file = createLastGoodFile(path());
    assert.deepEqual(await file.read(), { found: 'nothing' });
    const lastGood = { text: '{"title":"Grüße\\n\u{1f44b}"}\n\n', etag: '"a\\"b"' };
    await file.keep({ text: 'first', etag: '"1"' });
    await file.keep(lastGood);
    assert.deepEqual(await createLastGoodFile(path()).read(), { found: 'document', lastGood });
    assert.equal((await stat(path())).mode & 0o777, 0o600);
  });

  it('is gone when forgotten, also when there was none', async () => {
    const file = createLastGoodFile(path());
    await file.forget();
    await file.keep({ text: 'x', etag: undefined });
    await file.forget();
    assert.deepEqual(await file.read(), { found: 'nothing' });
  });
});
