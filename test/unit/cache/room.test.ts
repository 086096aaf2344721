import assert from 'node:assert/strict';
import type { StatsFs } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
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

/** What waits at it goes on once it is opened. */
function gate(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
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
    const asked = gate();
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
    const first = store.ensure(wanting(b), new OriginOf(b)).catch((thrown: PlayerError) => thrown.code);
    while (looks < 2) await after(1);
    const slow = new OriginOf(c);
    const second = store.ensure(wanting(c), {
      fetch: async (offset, validator) => {
        asked.resolve();
        await answer.promise;
        return slow.fetch(offset, validator);
      },
    });
    await asked.promise;
    look.resolve();
    assert.equal(await first, 'STORE_FULL');
    answer.resolve();
    await second;
    assert.equal(store.locate(sha256(c))?.hash, sha256(c));
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
});
