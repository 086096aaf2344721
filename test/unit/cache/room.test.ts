import assert from 'node:assert/strict';
import type { StatsFs } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { type Files, realFiles } from '../../../electron/cache/folders.ts';
import type { MediaOrigin } from '../../../electron/cache/media.ts';
import { reserveOf } from '../../../electron/cache/room.ts';
import type { PlayerError } from '../../../electron/errors.ts';
import { OriginOf, picture, StoreBench, sha256, wanting } from '../../support/cache-store.ts';

const gib = 2 ** 30;
const [a, b, c] = [picture('aaaaaaaa'), picture('bbbbbbbb'), picture('cccccccc')];

/** A disk that says how full it is; every byte of the store counts. */
function diskOf(space: { freeBytes: number; totalBytes?: number; freeFiles?: number }): Files {
  return {
    ...realFiles,
    statfs: (async () => {
      const { freeBytes, totalBytes = 1_000_000, freeFiles = 1_000 } = space;
      return { bsize: 1, bavail: freeBytes, blocks: totalBytes, files: 10_000, ffree: freeFiles } as StatsFs;
    }) as unknown as Files['statfs'],
  };
}

/** Content of so many bytes. */
function sized(name: number, sizeBytes: number): Buffer {
  return Buffer.from(picture(String(name)).toString().padEnd(sizeBytes, '.'));
}

/** What waits at it goes on once it is opened. */
function gate(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

async function reached(isSo: () => boolean): Promise<void> {
  for (let left = 10_000; left > 0 && !isSo(); left--) await after(1);
}

/** A disk on which nothing can be done to some paths. */
function brokenAt(call: 'rm' | 'stat', path: RegExp, code = 'EUCLEAN'): Files {
  const broken = async (...values: unknown[]) => {
    if (path.test(String(values[0]))) throw Object.assign(new Error(code), { code });
    return Reflect.apply(realFiles[call], realFiles, values);
  };
  return { ...realFiles, [call]: broken };
}

describe('room on the disk', () => {
  it('is a tenth that stays free, between 1 and 4 GiB, and never more than a quarter', () => {
    for (const [setting, totalBytes, expected] of [
      [undefined, 2 * gib, gib / 2],
      [undefined, 8 * gib, gib],
      [undefined, 20 * gib, 2 * gib],
      [undefined, 500 * gib, 4 * gib],
      [0, 500 * gib, 0],
      [7, 8 * gib, 7],
    ] as const)
      assert.equal(reserveOf(setting, totalBytes), expected);
  });

  it('refuses a file that would touch the reserve before anything is asked for, and takes it once there is room', async (test) => {
    const bench = await StoreBench.create(test);
    const space = { freeBytes: 100 + a.length - 1 };
    const store = await bench.open({ files: diskOf(space), reserveBytes: 100 });
    const origin = new OriginOf(a);
    await assert.rejects(store.ensure(wanting(a), origin), { code: 'STORE_FULL' });
    assert.deepEqual(origin.offsets, []);
    space.freeBytes++;
    await store.ensure(wanting(a), origin);
  });

  it('refuses such a file also where only the server tells its length', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open({ files: diskOf({ freeBytes: 105 }), reserveBytes: 100 });
    const origin = new OriginOf(a, { totalBytes: a.length });
    await assert.rejects(store.ensure(wanting(a, { sizeBytes: null }), origin), { code: 'STORE_FULL' });
    assert.equal(origin.closed, 1, 'the connection is let go');
  });

  it('is not given twice: of two downloads that fit one by one, one is refused', async (test) => {
    const bench = await StoreBench.create(test);
    const space = { freeBytes: 1_000 };
    const disk = diskOf(space);
    let looks = 0;
    const look = gate();
    const answer = gate();
    const files: Files = {
      ...disk,
      // The look at the disk after something was removed from it takes long.
      statfs: (async (path: string) => {
        if (++looks === 2) await look.promise;
        return disk.statfs(path);
      }) as unknown as Files['statfs'],
      rm: async (path, options) => {
        if (String(path) === bench.mediaPath(sha256(a))) space.freeBytes += a.length;
        await disk.rm(path, options);
      },
    };
    const store = await bench.open({ files, reserveBytes: 100 });
    await store.ensure(wanting(a), new OriginOf(a));
    space.freeBytes = 100;
    looks = 0;
    const outcome = (bytes: Buffer) => {
      const origin = new OriginOf(bytes);
      const fetch: MediaOrigin['fetch'] = async (offset, validator) => {
        await answer.promise;
        return origin.fetch(offset, validator);
      };
      return store.ensure(wanting(bytes), { fetch }).then(
        () => 'stored',
        (thrown: PlayerError) => thrown.code,
      );
    };
    const first = outcome(b);
    while (looks < 2) await after(1);
    const second = outcome(c);
    await after(20);
    look.resolve();
    await Promise.race([first, second]);
    answer.resolve();
    assert.deepEqual([await first, await second], ['stored', 'STORE_FULL']);
  });

  it('is made for several downloads at once as it is for one after the other', async (test) => {
    const bench = await StoreBench.create(test);
    const old = Array.from({ length: 50 }, (_, n) => sized(n, 20));
    const fresh = Array.from({ length: 6 }, (_, n) => sized(100 + n, 100));
    const space = { freeBytes: 1_060 };
    const disk = diskOf(space);
    const rm: Files['rm'] = async (path, options) => {
      const { size } = await stat(path).catch(() => ({ size: 0 }));
      await disk.rm(path, options);
      space.freeBytes += size;
    };
    const store = await bench.open({ files: { ...disk, rm } });
    for (const bytes of old) await store.ensure(wanting(bytes), new OriginOf(bytes));
    space.freeBytes -= 1_000;
    const answer = gate();
    let asked = 0;
    const stored = fresh.map((bytes) => {
      const fetch: MediaOrigin['fetch'] = async (offset) => {
        asked++;
        await answer.promise;
        return new OriginOf(bytes).fetch(offset);
      };
      return store.ensure(wanting(bytes), { fetch });
    });
    const all = Promise.all(stored);
    await Promise.race([all, reached(() => asked === fresh.length)]);
    assert.deepEqual([space.freeBytes, store.oldestVerified().length], [600, 23], 'no more went than had to');
    answer.resolve();
    await all;
  });

  it('is kept free also while a file comes of which nobody tells the length', async (test) => {
    const bench = await StoreBench.create(test);
    const mib = 2 ** 20;
    const bytes = picture('x'.repeat(3 * mib));
    const space = { freeBytes: 100 * mib, totalBytes: 1_000 * mib };
    const store = await bench.open({ files: diskOf(space), reserveBytes: 10 * mib, maxBytes: 100 * mib });
    const origin = new OriginOf(bytes, { chunkBytes: mib / 4 });
    const filling: MediaOrigin = {
      fetch: async (offset, validator) => {
        // Somebody else fills the disk once the download has begun.
        space.freeBytes = 12 * mib;
        return origin.fetch(offset, validator);
      },
    };
    await assert.rejects(store.ensure(wanting(bytes, { sizeBytes: null }), filling), { code: 'STORE_FULL' });
    assert.equal(origin.closed, 1, 'the connection is let go');
    assert.equal(store.sizeBytes, 0);
  });

  it('is promised until the bytes are on the disk', async (test) => {
    const bench = await StoreBench.create(test);
    const mib = 2 ** 20;
    const large = picture('x'.repeat(2 * mib));
    const writing = gate();
    let writes = 0;
    const open = async (...values: Parameters<Files['open']>) => {
      const file = await realFiles.open(...values);
      const writev = file.writev.bind(file);
      const slowly: typeof writev = async (...blocks) => {
        writes++;
        if (values[0] === bench.path('part', sha256(large))) await writing.promise;
        return writev(...blocks);
      };
      return Object.assign(file, { writev: slowly });
    };
    const space = { freeBytes: large.length + a.length - 1 };
    const files = { ...diskOf(space), open: open as Files['open'] };
    const store = await bench.open({ files, maxBytes: 100 * mib, budgetBytes: 100 * mib });
    const origin = new OriginOf(large, { chunkBytes: mib / 4 });
    const first = store.ensure(wanting(large), origin);
    await reached(() => writes > 0);
    await after(20);
    await assert.rejects(store.ensure(wanting(a), new OriginOf(a)), { code: 'STORE_FULL' });
    writing.resolve();
    await first;
  });

  it('says that inodes are missing when they are', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open({ files: diskOf({ freeBytes: 1_000_000, freeFiles: 0 }) });
    await assert.rejects(store.ensure(wanting(a), new OriginOf(a)), { code: 'STORE_INODES_FULL' });
  });

  it('lets go of what nobody needs to make room, and never of what is leased', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open({ budgetBytes: 2 * a.length });
    await store.ensure(wanting(a), new OriginOf(a));
    await store.ensure(wanting(b), new OriginOf(b));
    const release = store.lease([sha256(a)]);
    await store.ensure(wanting(c), new OriginOf(c));
    assert.deepEqual([store.locate(sha256(a))?.hash, store.locate(sha256(b))], [sha256(a), null]);
    const other = store.lease([sha256(c)]);
    await store.ensure(wanting(b), new OriginOf(b));
    assert.equal(store.sizeBytes, 3 * a.length, 'what is leased may exceed the budget');
    release();
    other();
  });

  it('empties the quarantine before it touches a file', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open({ budgetBytes: 2 * a.length });
    await store.ensure(wanting(a), new OriginOf(a));
    await store.ensure(wanting(b), new OriginOf(b));
    await writeFile(bench.mediaPath(sha256(b)), 'PIC tampered');
    assert.equal(await store.verify(sha256(b)), false);
    await store.evict(a.length);
    assert.deepEqual(await readdir(bench.path('quarantine')), []);
    assert.equal(store.locate(sha256(a))?.hash, sha256(a));
  });

  it('is made also where a file cannot be removed, and that file stays one of the store', async (test) => {
    const bench = await StoreBench.create(test);
    const stuck = bench.mediaPath(sha256(a));
    const store = await bench.open({ files: brokenAt('rm', new RegExp(stuck)), budgetBytes: 2 * a.length });
    const nameless = wanting(a, { sha256: null });
    await store.ensure(nameless, new OriginOf(a));
    for (const bytes of [b, c]) await store.ensure(wanting(bytes), new OriginOf(bytes));
    assert.deepEqual([store.locate(sha256(b)), store.sizeBytes], [null, 2 * a.length]);
    assert.equal(store.find(nameless)?.hash, sha256(a), 'also by its address');
    await assert.rejects(store.evict(0), { code: 'STORE_FAILED' });
    assert.deepEqual([store.locate(sha256(c)), store.sizeBytes], [null, a.length], 'the others went');
  });

  it('says why it cannot be made where what is in the way cannot be removed', async (test) => {
    const bench = await StoreBench.create(test);
    const space = { freeBytes: 1_000 };
    const files = { ...diskOf(space), rm: brokenAt('rm', /media/).rm };
    const store = await bench.open({ files, reserveBytes: 100 });
    await store.ensure(wanting(a), new OriginOf(a));
    space.freeBytes = 100;
    await assert.rejects(store.ensure(wanting(b), new OriginOf(b)), { code: 'STORE_FAILED', message: /EUCLEAN/ });
  });

  it('is made also where something in the quarantine cannot be removed or looked at', async (test) => {
    const bench = await StoreBench.create(test);
    const { rm } = brokenAt('rm', /quarantine.bad/);
    const { stat } = brokenAt('stat', /quarantine.(bad|gone)/);
    const store = await bench.open({ files: { ...realFiles, rm, stat }, budgetBytes: 2 * a.length });
    for (const name of ['bad', 'gone', 'other']) await writeFile(bench.path('quarantine', name), 'x');
    for (const bytes of [a, b, c]) await store.ensure(wanting(bytes), new OriginOf(bytes));
    assert.equal(store.sizeBytes, 2 * a.length);
    assert.deepEqual(await readdir(bench.path('quarantine')), ['bad']);
    await store.evict(a.length);
    assert.equal(store.sizeBytes, a.length);
  });

  it('is made last with what was shown until a moment ago', async (test) => {
    const bench = await StoreBench.create(test);
    const store = await bench.open();
    for (const bytes of [a, b]) await store.ensure(wanting(bytes), new OriginOf(bytes));
    await after(1);
    const release = store.lease([sha256(a)]);
    bench.nowMs += 1_000_000;
    store.lease([sha256(b)])();
    bench.nowMs += 1_000_000;
    release();
    assert.deepEqual(await store.evict(a.length), [sha256(b)]);
  });

  it('is not made with a file that has come before whoever wanted it knows', async (test) => {
    const bench = await StoreBench.create(test);
    const writing = gate();
    let isWriting = false;
    const open = async (...values: Parameters<Files['open']>) => {
      if (String(values[0]).endsWith('index.json.new')) {
        isWriting = true;
        await writing.promise;
      }
      return realFiles.open(...values);
    };
    const store = await bench.open({ files: { ...realFiles, open: open as Files['open'] }, budgetBytes: a.length });
    const first = store.ensure(wanting(a, { sha256: null }), new OriginOf(a));
    await reached(() => isWriting);
    let isRecorded = false;
    const recorded = store.record().then(() => {
      isRecorded = true;
    });
    const second = store.ensure(wanting(b), new OriginOf(b));
    await after(50);
    assert.ok(!isRecorded, 'nothing relies on an index that is only being written');
    writing.resolve();
    const { hash } = await first;
    assert.equal(store.locate(hash)?.hash, hash);
    await Promise.all([second, recorded]);
    await after(1);
    await store.evict(0);
    assert.equal(store.sizeBytes, 0, 'nobody holds it for ever');
  });

  it('is not made with a file that was asked for while it is removed: it is fetched anew', async (test) => {
    const bench = await StoreBench.create(test);
    const removing = gate();
    const begun = gate();
    const rm: Files['rm'] = async (path, options) => {
      if (String(path) === bench.mediaPath(sha256(a))) {
        begun.resolve();
        await removing.promise;
      }
      await realFiles.rm(path, options);
    };
    const store = await bench.open({ files: { ...realFiles, rm } });
    await store.ensure(wanting(a), new OriginOf(a));
    const evicting = store.evict(0);
    await begun.promise;
    const again = store.ensure(wanting(a), new OriginOf(a));
    await after(50);
    removing.resolve();
    await Promise.all([evicting, again]);
    assert.equal((await stat(bench.mediaPath(sha256(a)))).size, a.length);
    assert.equal(store.locate(sha256(a))?.hash, sha256(a));
  });

  it('is not made with a file of which another copy is about to get the same name', async (test) => {
    const bench = await StoreBench.create(test);
    const [syncing, goOn, removing, remove] = [gate(), gate(), gate(), gate()];
    let isSlow = false;
    const open = (async (path: string, flags?: string | number, mode?: number) => {
      const handle = await realFiles.open(path, flags, mode);
      const { datasync } = handle;
      if (isSlow && /part\/[0-9a-f]{64}$/.test(path))
        handle.datasync = async () => {
          syncing.resolve();
          await goOn.promise;
          await Reflect.apply(datasync, handle, []);
        };
      return handle;
    }) as Files['open'];
    const rm: Files['rm'] = async (path, options) => {
      if (/media/.test(String(path))) {
        removing.resolve();
        await remove.promise;
      }
      await realFiles.rm(path, options);
    };
    const store = await bench.open({ files: { ...realFiles, open, rm } });
    const nameless = wanting(a, { sha256: null });
    await store.ensure(nameless, new OriginOf(a));
    isSlow = true;
    const coming = store.ensure({ ...nameless, url: 'https://media.example/a?signature=2' }, new OriginOf(a));
    await syncing.promise;
    const evicting = store.evict(0);
    await Promise.race([evicting, removing.promise]);
    goOn.resolve();
    await coming;
    remove.resolve();
    await evicting;
    assert.equal((await stat(bench.mediaPath(sha256(a)))).size, a.length);
    assert.deepEqual(await store.evict(0), [sha256(a)], 'nothing holds it any more');
  });
});
