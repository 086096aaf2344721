import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Files, realFiles } from '../../../electron/cache/folders.ts';
import type { MediaStore } from '../../../electron/cache/store.ts';
import { OriginOf, picture, StoreBench, sha256, wanting } from '../../support/cache-store.ts';

const [a, b, c] = [picture('aaaaaaaa'), picture('bbbbbbbb'), picture('cccccccc')];
const put = (store: MediaStore, bytes: Uint8Array) =>
  store.ensure(wanting(bytes, { assetId: sha256(bytes).slice(0, 8) }), new OriginOf(bytes));

describe('the store', () => {
  it('knows no path for anything but the hash of a stored file', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const { hash } = await put(store, a);
    for (const name of [
      '',
      '..',
      '../index.json',
      `../media/${hash}`,
      `${hash}/`,
      hash.toUpperCase(),
      `${hash}\0`,
      sha256(b),
      '__proto__',
    ])
      assert.equal(store.locate(name), null, name);
    assert.equal(store.locate(hash)?.hash, hash);
  });

  it('never evicts what is leased, however small the budget', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    for (const bytes of [a, b, c]) await put(store, bytes);
    const first = store.lease([sha256(a), sha256(b)]);
    const second = store.lease([sha256(b)]);
    assert.deepEqual(await store.evict(0), [sha256(c)]);
    first();
    first();
    assert.deepEqual(await store.evict(0), [sha256(a)], 'a second release of the same lease is nothing');
    assert.ok(await store.verify(sha256(b)));
    second();
    assert.deepEqual(await store.evict(0), [sha256(b)]);
    assert.equal(store.sizeBytes, 0);
  });

  it('evicts what was used longest ago and no more than needed', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    for (const bytes of [a, b, c]) await put(store, bytes);
    store.lease([sha256(a)])();
    assert.deepEqual(await store.evict(a.length + c.length), [sha256(b)]);
    assert.deepEqual(await store.evict(a.length + c.length), []);
    const again = await bench.open();
    assert.equal(again.sizeBytes, a.length + c.length);
  });

  it('never evicts the beginning of a file: its next try goes on from there', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    await put(store, a);
    await assert.rejects(store.ensure(wanting(b), new OriginOf(b, { breakAt: 5 })));
    assert.deepEqual(await store.evict(0), [sha256(a)]);
    const origin = new OriginOf(b);
    await store.ensure(wanting(b), origin);
    assert.deepEqual(origin.offsets, [5]);
  });

  it('discards the beginnings of files that nobody wants, and no others', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const nameless = wanting(a, { sha256: null });
    for (const [wanted, bytes] of [
      [nameless, a],
      [wanting(b), b],
      [wanting(c), c],
    ] as const)
      await assert.rejects(store.ensure(wanted, new OriginOf(bytes, { breakAt: 5 })));
    await store.discardParts([nameless, wanting(b)]);
    for (const [wanted, bytes, offset] of [
      [nameless, a, 5],
      [wanting(b), b, 5],
      [wanting(c), c, 0],
    ] as const) {
      const origin = new OriginOf(bytes);
      await store.ensure(wanted, origin);
      assert.deepEqual(origin.offsets, [offset]);
    }
    assert.deepEqual(await readdir(bench.path('part')), []);
  });

  it('goes on although a beginning cannot be discarded', async (test) => {
    const bench = await StoreBench.create(test);
    const rm: Files['rm'] = async (path, options) => {
      if (String(path).endsWith(sha256(a))) throw Object.assign(new Error('EUCLEAN'), { code: 'EUCLEAN' });
      await realFiles.rm(path, options);
    };
    const store = await bench.open({ files: { ...realFiles, rm } });
    for (const bytes of [a, b]) await assert.rejects(store.ensure(wanting(bytes), new OriginOf(bytes, { breakAt: 5 })));
    await store.discardParts([]);
    assert.deepEqual(await readdir(bench.path('part')), [sha256(a)]);
  });

  it('discards no beginning of a file that is being fetched', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    let parts: string[] = [];
    await store.ensure(wanting(a), {
      fetch: async () => ({
        status: 200,
        stream: (async function* () {
          yield a.subarray(0, 5);
          await store.discardParts([]);
          parts = await readdir(bench.path('part'));
          yield a.subarray(5);
        })(),
      }),
    });
    assert.deepEqual(parts, [sha256(a)]);
    assert.ok(await store.verify(sha256(a)));
  });

  it('empties the quarantine when it makes room', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    await put(store, c);
    await writeFile(bench.mediaPath(sha256(c)), 'PIC tampered');
    assert.equal(await store.verify(sha256(c)), false);
    await store.evict(0);
    assert.deepEqual(await readdir(bench.path('quarantine')), []);
  });

  it('puts a folder in the place of a file away, and makes room also of it', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    for (let time = 0; time < 2; time++) {
      const { hash } = await put(store, a);
      await rm(bench.mediaPath(hash));
      await mkdir(join(bench.mediaPath(hash), 'inside'), { recursive: true });
      assert.equal(await store.verify(hash), false);
      assert.deepEqual(await readdir(bench.path('quarantine')), [hash]);
    }
    await put(store, a);
    await writeFile(bench.mediaPath(sha256(a)), 'PIC tampered');
    assert.equal(await store.verify(sha256(a)), false, 'a file takes the place of the folder');
    await store.evict(0);
    assert.deepEqual(await readdir(bench.path('quarantine')), []);
  });

  it('moves a file that is no longer what it was to quarantine and fetches it anew', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const { hash } = await put(store, a);
    assert.ok(await store.verify(hash));
    await writeFile(bench.mediaPath(hash), picture('aaaaaaab'));
    assert.equal(await store.verify(hash), false);
    assert.equal(store.locate(hash), null);
    assert.deepEqual(await readdir(bench.path('quarantine')), [hash]);
    await put(store, a);
    assert.ok(await store.verify(hash));
  });

  it('finds a file again that vanished behind its back', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const { hash } = await put(store, a);
    await truncate(bench.mediaPath(hash), 3);
    assert.equal(await store.verify(hash), false);
    assert.equal(await store.verify(sha256(b)), false);
  });

  it('shares one download between callers and asks for nothing that it has', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const origin = new OriginOf(a);
    const [first, second] = await Promise.all([store.ensure(wanting(a), origin), store.ensure(wanting(a), origin)]);
    assert.equal(first, second);
    await store.ensure(wanting(a), origin);
    assert.deepEqual(origin.offsets, [0]);
  });

  it('writes its index once for files that come together, also when the last of them fails', async (test) => {
    const bench = await StoreBench.create(test);
    let writes = 0;
    const rename: typeof realFiles.rename = (from, to) => {
      if (to === bench.path('index.json')) writes++;
      return realFiles.rename(from, to);
    };
    const store = await bench.open({ files: { ...realFiles, rename } });
    await put(store, a);
    assert.equal(writes, 1);
    const many = Array.from({ length: 20 }, (_, number) => picture(`together ${number}`));
    const failing = new OriginOf(b, { breakAt: 3 });
    const ends = await Promise.allSettled([
      ...many.map((bytes) => put(store, bytes)),
      store.ensure(wanting(b), failing),
    ]);
    assert.equal(ends.filter(({ status }) => status === 'rejected').length, 1);
    assert.ok(writes <= 3, `${writes} writes`);
    const reopened = await bench.open();
    for (const bytes of [a, ...many]) assert.ok(reopened.locate(sha256(bytes)), 'the index on the disk has it');
  });

  it('records the digest of an asset without one by id and address, over restarts', async (test) => {
    const bench = await StoreBench.create(test);
    const nameless = wanting(a, { sha256: null });
    await (await bench.open()).ensure(nameless, new OriginOf(a));
    const store = await bench.open();
    assert.equal(store.find(nameless)?.hash, sha256(a));
    assert.equal(store.find({ ...nameless, url: 'https://media.example/b' }), null);
    assert.equal(store.find({ ...nameless, assetId: 'another' }), null);
    await store.evict(0);
    assert.equal(store.find(nameless), null);
  });

  it('fetches another file behind the same id and address, and has both while one of them plays', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const longer = picture('bbbbbbbb and longer');
    for (const without of [{ sha256: null }, { sha256: null, md5: null }]) {
      const [before, after] = [wanting(a, without), wanting(longer, without)];
      await store.ensure(before, new OriginOf(a));
      const origin = new OriginOf(longer);
      assert.equal((await store.ensure(after, origin)).hash, sha256(longer));
      assert.deepEqual([store.find(before)?.hash, store.find(after)?.hash], [sha256(a), sha256(longer)]);
      assert.deepEqual(origin.offsets, [0]);
    }
  });

  it('is in its folder after a power cut, too', async (test) => {
    const bench = await StoreBench.create(test);
    const synced: string[] = [];
    const open: typeof realFiles.open = async (path, ...how) => {
      const file = await realFiles.open(path, ...how);
      const { sync } = file;
      file.sync = () => {
        synced.push(String(path));
        return sync.call(file);
      };
      return file;
    };
    const directory = bench.path('store');
    await bench.open({ directory, files: { ...realFiles, open } });
    assert.deepEqual(synced, [bench.directory, directory]);
    await bench.open({ directory, files: { ...realFiles, open } });
    assert.equal(synced.length, 2, 'a start waits for none of it when nothing was made');
  });

  it('says only that a file is in the index once it is, also where another call is writing it', async (test) => {
    const bench = await StoreBench.create(test);
    let goOn: (() => void) | undefined;
    const rename: typeof realFiles.rename = async (from, to) => {
      if (to === bench.path('index.json'))
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
      await realFiles.rename(from, to);
    };
    const store = await bench.open({ files: { ...realFiles, rename } });
    const putting = put(store, a);
    while (goOn === undefined) await new Promise((resolve) => setImmediate(resolve));
    let recorded = false;
    const recording = store.record().then(() => {
      recorded = true;
    });
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(recorded, false);
    goOn();
    await Promise.all([putting, recording]);
    assert.ok((await bench.open()).locate(sha256(a)));
  });

  it('takes no file for damaged that is read while it is cleared', async (test) => {
    const bench = await StoreBench.create(test);
    let store: MediaStore | undefined;
    const rm: typeof realFiles.rm = async (path, how) => {
      await realFiles.rm(path, how);
      if (path === bench.mediaPath(sha256(a))) assert.equal(await store?.verify(sha256(a)), false);
    };
    store = await bench.open({ files: { ...realFiles, rm } });
    await put(store, a);
    await store.clear();
    assert.deepEqual(bench.damaged, []);
  });

  it('forgets everything when it is cleared', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    await put(store, a);
    await store.clear();
    assert.equal(store.sizeBytes, 0);
    const files = (await readdir(bench.directory, { recursive: true })).filter((name) => /[0-9a-f]{64}/.test(name));
    assert.deepEqual(files, []);
  });
});

const { signal } = new AbortController();

describe('a store after a crash', () => {
  it('trusts no file that is not in the index before its digest is proven', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    await put(store, a);
    await put(store, b);
    await copyFile(bench.mediaPath(sha256(a)), bench.mediaPath(sha256(b)));
    await writeFile(bench.path('index.json'), '{"version":2,"media":[');
    const again = await bench.open();
    assert.equal(again.indexWas, 'damaged');
    assert.equal(again.find(wanting(a)), null);
    const { adopted, quarantined } = await again.reconcile(signal);
    assert.deepEqual([adopted, quarantined], [[sha256(a)], [sha256(b)]]);
    assert.ok((await readdir(bench.path('quarantine'))).some((name) => name.startsWith('index-')));
    assert.equal((await bench.open()).indexWas, 'whole', 'it was written again');
  });

  it('asks no server for a file that is on the disk and not in the index', async (test) => {
    const bench = await StoreBench.create(test);
    await put(await bench.open(), a);
    await rm(bench.path('index.json'));
    const again = await bench.open();
    const origin = new OriginOf(a);
    assert.equal((await again.ensure(wanting(a), origin)).hash, sha256(a));
    assert.deepEqual([again.indexWas, origin.offsets], ['absent', []]);
  });

  it('fetches such a file anew when it is not what it is called', async (test) => {
    const bench = await StoreBench.create(test);
    await put(await bench.open(), a);
    await rm(bench.path('index.json'));
    await writeFile(bench.mediaPath(sha256(a)), b);
    const again = await bench.open();
    await put(again, a);
    assert.deepEqual(await readFile(bench.mediaPath(sha256(a))), a);
  });

  it('notices files that are gone or of another length', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    await put(store, a);
    await put(store, b);
    await truncate(bench.mediaPath(sha256(a)), 3);
    await rm(bench.mediaPath(sha256(b)));
    const again = await bench.open();
    assert.deepEqual((await again.reconcile(signal)).lost, [sha256(a), sha256(b)]);
    assert.deepEqual(bench.damaged, [
      [sha256(a), 'damaged'],
      [sha256(b), 'absent'],
    ]);
    assert.equal(again.find(wanting(a)), null);
    await put(again, a);
    assert.deepEqual(await readFile(bench.mediaPath(sha256(a))), a);
  });

  it('takes an index with a path, an unknown format, a foreign field or a flipped bit for damaged', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    const { hash } = await put(store, a);
    const entry = { hash, format: 'png', sizeBytes: a.length, chunks: '', lastUsedMs: 1, verifiedMs: 1 };
    const indexOf = (media: unknown, digestOf = (text: string) => sha256(Buffer.from(text))) => {
      const text = `${JSON.stringify({ media: [media], recorded: [] })}\n`;
      return `${JSON.stringify({ version: 2, sha256: digestOf(text) })}\n${text}`;
    };
    await writeFile(bench.path('index.json'), indexOf(entry));
    assert.equal((await bench.open()).indexWas, 'whole', 'the test writes what the store would');
    for (const bad of [
      indexOf({ ...entry, hash: '../../etc/passwd' }),
      indexOf({ ...entry, format: 'html' }),
      indexOf({ ...entry, path: '/etc' }),
      indexOf({ ...entry, chunks: 'AAAA' }),
      indexOf(null),
      indexOf(entry, (text) => sha256(Buffer.from(`${text} `))),
      '',
      '\n',
    ]) {
      await writeFile(bench.path('index.json'), bad);
      const again = await bench.open();
      assert.equal(again.indexWas, 'damaged', bad);
      await again.reconcile(signal);
      assert.equal(again.locate(hash)?.format, 'png');
    }
  });

  it('leaves names that are not its own alone', async (test) => {
    const bench = await StoreBench.create(test);
    await bench.open();
    await writeFile(bench.path('media', 'README'), 'x');
    const { adopted, quarantined } = await (await bench.open()).reconcile(signal);
    assert.deepEqual([adopted, quarantined], [[], []]);
  });
});
