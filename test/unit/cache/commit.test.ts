import assert from 'node:assert/strict';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { type Files, realFiles } from '../../../electron/cache/folders.ts';
import { PlayerError } from '../../../electron/errors.ts';
import { FailingDisk } from '../../support/cache-disk.ts';
import { OriginOf, picture, StoreBench, sha256, wanting } from '../../support/cache-store.ts';

const bytes = picture('a file of some length, so that it comes in several chunks');
const withCode = (code: string) => (thrown: unknown) => thrown instanceof PlayerError && thrown.code === code;

async function mediaFiles(bench: StoreBench): Promise<string[]> {
  return (await readdir(bench.path('media'), { recursive: true })).filter((name) => name.includes('/'));
}

describe('bringing a file into the store', () => {
  const refusals = {
    'a file of another SHA-256': ['MEDIA_DIGEST', wanting(bytes, { sha256: sha256(picture('other')) })],
    'a file of another MD5': ['MEDIA_DIGEST', wanting(bytes, { md5: '0'.repeat(32) })],
    'a file longer than the playlist says': ['MEDIA_LENGTH', wanting(bytes, { sizeBytes: bytes.length - 1 })],
    'a file shorter than the playlist says': ['MEDIA_LENGTH', wanting(bytes, { sizeBytes: bytes.length + 1 })],
    'a file longer than the player takes': ['MEDIA_LENGTH', wanting(bytes, { sizeBytes: 2_000 })],
  } as const;
  for (const [name, [code, wanted]] of Object.entries(refusals)) {
    it(`refuses ${name}`, async (test) => {
      const bench = await StoreBench.create(test);
      const store = await bench.open();
      await assert.rejects(store.ensure(wanted, new OriginOf(bytes)), withCode(code));
      assert.deepEqual(await mediaFiles(bench), []);
      assert.equal(store.find(wanted), null);
    });
  }

  it('refuses a file of no kind that is shown, and keeps nothing of it', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const html = Buffer.from('<!doctype html>');
    await assert.rejects(store.ensure(wanting(html), new OriginOf(html)), withCode('MEDIA_KIND'));
    assert.deepEqual([await mediaFiles(bench), await readdir(bench.path('part'))], [[], []]);
  });

  it('refuses a file without end at the limit', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const endless = new OriginOf(Buffer.alloc(100_000, 'PIC '), { chunkBytes: 64 });
    const wanted = wanting(bytes, { sha256: null, md5: null, sizeBytes: null });
    await assert.rejects(store.ensure(wanted, endless), withCode('MEDIA_LENGTH'));
    const [part = ''] = await readdir(bench.path('part'));
    assert.equal((await stat(bench.path('part', part))).size, 0);
  });

  it('refuses an announced length that is not the playlist’s before a byte is read', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const origin = new OriginOf(bytes, { totalBytes: 5, breakAt: 0 });
    await assert.rejects(store.ensure(wanting(bytes), origin), withCode('MEDIA_LENGTH'));
  });

  it('refuses to write through a planted link', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    await symlink(bench.path('elsewhere'), bench.path('part', sha256(bytes)));
    await assert.rejects(store.ensure(wanting(bytes), new OriginOf(bytes)), withCode('STORE_FAILED'));
    await assert.rejects(stat(bench.path('elsewhere')));
  });

  const faults = [
    ['write', 'ENOSPC', /\/part\//, 'STORE_FULL'],
    ['write', 'EDQUOT', /\/part\//, 'STORE_FULL'],
    ['sync', 'EIO', /\/part\//, 'STORE_FAILED'],
    ['rename', 'EROFS', /\/media\//, 'STORE_READ_ONLY'],
    ['open', 'EROFS', /\/part\//, 'STORE_READ_ONLY'],
    ['write', 'ENOSPC', /index\.json/, 'STORE_FULL'],
  ] as const;
  for (const [call, code, path, expected] of faults) {
    it(`reports ${code} at ${call} of ${path.source} as ${expected} and goes on once it is over`, async (test) => {
      const bench = await StoreBench.create(test);
      const disk = new FailingDisk();
      const store = await bench.open({ files: disk.files });
      disk.fault = { call, code, path };
      await assert.rejects(store.ensure(wanting(bytes), new OriginOf(bytes)), withCode(expected));
      disk.fault = null;
      const { hash } = await store.ensure(wanting(bytes), new OriginOf(bytes));
      assert.deepEqual(await readFile(bench.mediaPath(hash)), bytes);
    });
  }

  it('a store that cannot be written says so and can be read', async (test) => {
    const bench = await StoreBench.create(test);
    const disk = new FailingDisk();
    const store = await bench.open({ files: disk.files });
    const { hash } = await store.ensure(wanting(bytes), new OriginOf(bytes));
    disk.fault = { call: 'open', code: 'EROFS', path: /probe|index/ };
    await assert.rejects(store.probe(), withCode('STORE_READ_ONLY'));
    assert.ok(await store.verify(hash));
    disk.fault = null;
    await store.probe();
    assert.deepEqual((await readdir(bench.directory)).includes('probe'), false);
  });

  it('stores a file under its digest, readable by the player alone', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const media = await store.ensure(wanting(bytes), new OriginOf(bytes));
    assert.deepEqual(media, { hash: sha256(bytes), format: 'png', sizeBytes: bytes.length });
    const path = bench.mediaPath(media.hash);
    assert.deepEqual(await readFile(path), bytes);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(bench.path('part')), []);
  });

  it('goes on after a broken download where it ended', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const broken = new OriginOf(bytes, { breakAt: 21 });
    await assert.rejects(store.ensure(wanting(bytes), broken), withCode('CONNECTION_FAILED'));
    const again = await bench.open();
    const whole = new OriginOf(bytes, { totalBytes: bytes.length });
    await again.ensure(wanting(bytes), whole);
    assert.deepEqual(whole.offsets, [21]);
  });

  it('starts over when the server knows no ranges', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    await assert.rejects(store.ensure(wanting(bytes), new OriginOf(bytes, { breakAt: 21 })));
    const whole = new OriginOf(bytes, { ranges: false });
    assert.equal((await store.ensure(wanting(bytes), whole)).hash, sha256(bytes));
  });

  it('starts over from nothing, and at once, after halves that do not belong together', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const other = picture('the file as it was before somebody changed it, and longer');
    await assert.rejects(store.ensure(wanting(bytes), new OriginOf(other, { breakAt: 21 })));
    const origin = new OriginOf(bytes);
    await store.ensure(wanting(bytes), origin);
    assert.deepEqual([origin.offsets, origin.closed], [[21, 0], 2]);
  });

  it('does not put halves together that no digest would prove', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const wanted = wanting(bytes, { sha256: null, md5: null });
    await assert.rejects(store.ensure(wanted, new OriginOf(bytes, { breakAt: 21 })));
    const whole = new OriginOf(bytes);
    assert.equal((await store.ensure(wanted, whole)).hash, sha256(bytes));
    assert.deepEqual(whole.offsets, [0]);
  });

  const unnamed = wanting(bytes, { sha256: null, md5: null });

  it('goes on without a digest where the server’s entity tag is still the one, also in another process', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    await assert.rejects(store.ensure(unnamed, new OriginOf(bytes, { breakAt: 21, etag: '"1"' })));
    const again = await bench.open();
    const origin = new OriginOf(bytes, { etag: '"1"' });
    assert.equal((await again.ensure(unnamed, origin)).hash, sha256(bytes));
    assert.deepEqual([origin.offsets, origin.validators], [[21], ['"1"']]);
    assert.deepEqual(await readdir(bench.path('part')), []);
  });

  it('starts over when the file on the server is another by now', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const old = picture('the file as it was before somebody changed it');
    await assert.rejects(store.ensure(unnamed, new OriginOf(old, { breakAt: 21, etag: '"1"' })));
    const origin = new OriginOf(bytes, { etag: '"2"' });
    assert.equal((await store.ensure(unnamed, origin)).hash, sha256(bytes));
    assert.deepEqual([origin.offsets, origin.validators], [[21], ['"1"']]);
  });

  it('does not put halves together whose entity tags differ, also where the server knows no If-Range', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const old = picture('the file as it was before somebody changed it');
    await assert.rejects(store.ensure(unnamed, new OriginOf(old, { breakAt: 21, etag: '"1"' })));
    const origin = new OriginOf(bytes, { etag: '"2"' });
    const ignoring = { fetch: (offset: number) => origin.fetch(offset) };
    assert.equal((await store.ensure(unnamed, ignoring)).hash, sha256(bytes));
    assert.deepEqual([origin.offsets, origin.closed], [[21, 0], 2]);
  });

  it('starts over where the disk fails at what came before, and only there', async (test) => {
    const bench = await StoreBench.create(test);
    let failing = '';
    const open = async (...values: Parameters<Files['open']>) => {
      const file = await realFiles.open(...values);
      const isFailing = values[0] === failing;
      const read = file.read.bind(file) as (...values: unknown[]) => unknown;
      const reading = async (...values: unknown[]) => {
        if (isFailing && failing !== '') throw Object.assign(new Error('EIO'), { code });
        return read(...values);
      };
      return Object.assign(file, { read: reading });
    };
    let code = 'EMFILE';
    const rm: Files['rm'] = async (path, options) => {
      await realFiles.rm(path, options);
      if (path === failing) failing = '';
    };
    const store = await bench.open({ files: { ...realFiles, open: open as Files['open'], rm } });
    await assert.rejects(store.ensure(wanting(bytes), new OriginOf(bytes, { breakAt: 21 })));
    failing = bench.path('part', sha256(bytes));
    await assert.rejects(store.ensure(wanting(bytes), new OriginOf(bytes)), withCode('STORE_FAILED'));
    assert.equal(
      (await stat(bench.path('part', sha256(bytes)))).size,
      21,
      'what says nothing of the file costs nothing',
    );
    code = 'EIO';
    const origin = new OriginOf(bytes);
    assert.equal((await store.ensure(wanting(bytes), origin)).hash, sha256(bytes));
    assert.deepEqual(origin.offsets, [0]);
  });

  it('does not go on after a part file that lost its bytes in a power cut', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    await assert.rejects(store.ensure(unnamed, new OriginOf(bytes, { breakAt: 21, etag: '"1"' })));
    const [part = ''] = (await readdir(bench.path('part'))).filter((name) => !name.includes('.'));
    await writeFile(bench.path('part', part), Buffer.alloc(21));
    const origin = new OriginOf(bytes, { etag: '"1"' });
    assert.equal((await store.ensure(unnamed, origin)).hash, sha256(bytes));
    assert.deepEqual(origin.offsets, [0]);
  });

  it('writes anew what could not be made durable: the system may have given up what it held', async (test) => {
    const bench = await StoreBench.create(test);
    const disk = new FailingDisk();
    const store = await bench.open({ files: disk.files });
    disk.fault = { call: 'sync', code: 'EIO', path: /\/part\// };
    await assert.rejects(store.ensure(wanting(bytes), new OriginOf(bytes)), withCode('STORE_FAILED'));
    assert.deepEqual(await readdir(bench.path('part')), []);
    disk.fault = null;
    const origin = new OriginOf(bytes);
    await store.ensure(wanting(bytes), origin);
    assert.deepEqual(origin.offsets, [0]);
  });

  it('asks nobody for a part file that is already whole', async (test) => {
    const bench = await StoreBench.create(test);
    const disk = new FailingDisk();
    const store = await bench.open({ files: disk.files });
    disk.fault = { call: 'rename', code: 'EROFS', path: /\/media\// };
    await assert.rejects(store.ensure(wanting(bytes), new OriginOf(bytes)));
    disk.fault = null;
    const origin = new OriginOf(bytes);
    await store.ensure(wanting(bytes), origin);
    assert.deepEqual(origin.offsets, []);
  });
});
