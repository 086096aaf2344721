import assert from 'node:assert/strict';
import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Files, realFiles } from '../../../electron/cache/folders.ts';
import type { MediaStore } from '../../../electron/cache/store.ts';
import type { PlayerError } from '../../../electron/errors.ts';
import type { MediaHash } from '../../../electron/playlist/playlist.ts';
import { FailingDisk } from '../../support/cache-disk.ts';
import { OriginOf, picture, StoreBench, sha256, wanting } from '../../support/cache-store.ts';

const pictures = Array.from({ length: 12 }, (_, number) => picture(`number ${number}`));
const [a, b, c] = pictures as [Buffer, Buffer, Buffer];
const { signal } = new AbortController();
const codesOf = (failures: readonly unknown[]) => failures.map((thrown) => (thrown as PlayerError).code);

const put = (store: MediaStore, bytes: Buffer) => store.ensure(wanting(bytes), new OriginOf(bytes));

/** A store on a disk that fails at will, with these files in it. */
async function filled(test: TestContext, files: readonly Buffer[]) {
  const bench = await StoreBench.create(test);
  const disk = new FailingDisk();
  const store = await bench.open({ files: disk.files });
  for (const bytes of files) await put(store, bytes);
  return { bench, disk, store };
}

async function show(store: MediaStore, hash: MediaHash): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(hash, 0, (store.locate(hash)?.sizeBytes ?? 1) - 1)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What is decided behind the back of a reader has been decided. */
async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!isSo() && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a file that may be damaged', () => {
  for (const code of ['EMFILE', 'ENFILE', 'ENOMEM'])
    it(`loses none that is well to a moment of ${code}`, async (test) => {
      const { bench, disk, store } = await filled(test, pictures);
      for (const bytes of pictures) {
        disk.fault = { call: 'open', code, path: new RegExp(sha256(bytes)) };
        await assert.rejects(show(store, sha256(bytes)), (thrown) => (thrown as PlayerError).code === 'STORE_FAILED');
        disk.fault = null;
        assert.deepEqual(await show(store, sha256(bytes)), bytes);
      }
      await store.reconcile(signal);
      assert.deepEqual([bench.damaged, await readdir(bench.path('quarantine'))], [[], []]);
      assert.equal(store.oldestVerified().length, pictures.length);
      assert.deepEqual(new Set(codesOf(bench.failures)), new Set(['STORE_FAILED']), 'it is said');
    });

  it('stays where a second look finds it well, and the fault is said', async (test) => {
    const { bench, disk, store } = await filled(test, [a]);
    disk.fault = { call: 'read', code: 'EIO', path: /media/, times: 1 };
    await assert.rejects(show(store, sha256(a)));
    await until(() => bench.failures.length > 0);
    assert.deepEqual([bench.damaged, codesOf(bench.failures)], [[], ['STORE_FAILED']]);
    assert.deepEqual(await show(store, sha256(a)), a);
  });

  it('goes where the disk fails at it again', async (test) => {
    const { bench, disk, store } = await filled(test, [a]);
    disk.fault = { call: 'read', code: 'EIO', path: /media/ };
    await assert.rejects(show(store, sha256(a)));
    await until(() => bench.damaged.length > 0);
    assert.deepEqual([bench.damaged, store.locate(sha256(a))], [[[sha256(a), 'unreadable']], null]);
  });

  it('goes at once where the disk fails at one of its chunks again, however long it is', async (test) => {
    const long = Buffer.alloc(5 * 2 ** 20, picture('long'));
    const bench = await StoreBench.create(test);
    const disk = new FailingDisk();
    const store = await bench.open({ files: disk.files, maxBytes: long.length, budgetBytes: 2 * long.length });
    for (const look of [() => show(store, sha256(long)), () => store.verify(sha256(long))]) {
      await store.ensure(wanting(long), new OriginOf(long, { chunkBytes: 2 ** 20 }));
      const times = bench.damaged.length;
      disk.fault = { call: 'read', code: 'EIO', path: /media/, fromByte: 4 * 2 ** 20 };
      disk.reads = 0;
      await look().catch(() => undefined);
      await until(() => bench.damaged.length > times);
      assert.deepEqual([bench.damaged.at(-1), disk.reads], [[sha256(long), 'unreadable'], 3 + 1]);
      disk.fault = null;
    }
  });

  it('does not take the fresh one along that has got its name meanwhile', async (test) => {
    const { bench, disk, store } = await filled(test, [a]);
    let isOpen = false;
    let goOn = () => {};
    const paused = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const verifying = store.verify(sha256(a), () => {
      isOpen = true;
      return paused;
    });
    await until(() => isOpen);
    disk.fault = { call: 'read', code: 'EIO', path: /media/ };
    await assert.rejects(show(store, sha256(a)));
    await until(() => bench.damaged.length > 0);
    disk.fault = null;
    await store.ensure(wanting(a), new OriginOf(a));
    // What the scrubber has open is still the old file.
    disk.fault = { call: 'read', code: 'EIO', path: /media/, times: 1 };
    goOn();
    assert.equal(await verifying, true);
    assert.deepEqual(await show(store, sha256(a)), a);
    assert.equal(bench.damaged.length, 1);
  });

  for (const sha256OfIt of [sha256(a), null])
    it(`does not take a fresh one along ${sha256OfIt === null ? 'without' : 'with'} a digest, however slowly it goes`, async (test) => {
      const bench = await StoreBench.create(test);
      let isAsked = false;
      const rename: typeof realFiles.rename = async (from, to) => {
        if (String(to).includes('quarantine')) {
          await until(() => isAsked);
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        await realFiles.rename(from, to);
      };
      const wanted = wanting(a, { sha256: sha256OfIt });
      const store = await bench.open({ files: { ...realFiles, rename } });
      await store.ensure(wanted, new OriginOf(a));
      await writeFile(bench.mediaPath(sha256(a)), 'PIC tampered');
      const verifying = store.verify(sha256(a));
      await until(() => bench.damaged.length > 0);
      isAsked = true;
      await store.ensure(wanted, new OriginOf(a));
      assert.equal(await verifying, false);
      assert.deepEqual(await show(store, sha256(a)), a);
    });

  it('is fetched anew, and the others are looked at, where its inode cannot be read', async (test) => {
    const { bench, disk, store } = await filled(test, [a, b]);
    await truncate(bench.mediaPath(sha256(b)), 3);
    disk.fault = { call: ['stat', 'open'], code: 'EUCLEAN', path: new RegExp(sha256(a)) };
    const first = await store.reconcile(signal);
    assert.deepEqual([first.lost, codesOf([first.failure])], [[sha256(b)], ['STORE_FAILED']], 'another look is due');
    const { lost, failure } = await store.reconcile(signal);
    assert.deepEqual([lost, failure], [[sha256(a)], null]);
    disk.fault = null;
    await store.ensure(wanting(a), new OriginOf(a));
    assert.deepEqual(await show(store, sha256(a)), a);
  });

  it('is none of those at which the disk fails for a moment as it is looked through', async (test) => {
    const { disk, store } = await filled(test, pictures);
    disk.fault = { call: ['stat', 'open', 'read', 'rename'], code: 'EIO', path: /media/ };
    assert.deepEqual(codesOf([(await store.reconcile(signal)).failure]), ['STORE_FAILED']);
    disk.fault = null;
    assert.equal((await store.reconcile(signal)).failure, null);
    for (const bytes of pictures) assert.deepEqual(await show(store, sha256(bytes)), bytes);
  });

  it('does not take a fresh copy of it along, where it was in no index', async (test) => {
    const bench = await StoreBench.create(test);
    let [isRead, goOn] = [false, () => {}];
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const open = (async (path: string, flags?: string | number, mode?: number) => {
      const handle = await realFiles.open(path, flags, mode);
      if (isRead || !/media\/../.test(path)) return handle;
      isRead = true;
      const { read } = handle;
      handle.read = (async (...values: Parameters<typeof read>) => {
        await gate;
        return Reflect.apply(read, handle, values);
      }) as typeof read;
      return handle;
    }) as Files['open'];
    await mkdir(dirname(bench.mediaPath(sha256(a))), { recursive: true });
    await writeFile(bench.mediaPath(sha256(a)), 'PIC tampered');
    const store = await bench.open({ files: { ...realFiles, open } });
    const looking = store.reconcile(signal);
    await until(() => isRead);
    const coming = store.ensure(wanting(a, { sha256: null }), new OriginOf(a));
    await Promise.race([coming, new Promise((resolve) => setTimeout(resolve, 300))]);
    goOn();
    await Promise.all([coming, looking]);
    assert.deepEqual(await show(store, sha256(a)), a);
  });

  it('is fetched anew, and the others are looked at, where it can not even be put away', async (test) => {
    const { bench, disk } = await filled(test, [a, b]);
    await rm(bench.path('index.json'));
    for (const bytes of [a, b]) await writeFile(bench.mediaPath(sha256(bytes)), 'PIC tampered');
    const again = await bench.open({ files: disk.files });
    disk.fault = { call: 'rename', code: 'EUCLEAN', path: new RegExp(`quarantine.${sha256(a)}`) };
    const { quarantined, failure } = await again.reconcile(signal);
    assert.deepEqual([quarantined.toSorted(), failure], [[sha256(a), sha256(b)].sort(), null]);
    assert.deepEqual(codesOf(bench.failures), ['STORE_FAILED'], 'it is said');
    await again.ensure(wanting(a), new OriginOf(a));
    assert.deepEqual(await show(again, sha256(a)), a);
  });
});

describe('a file that the disk spoils again and again', () => {
  const named = wanting(a);
  const nameless = wanting(a, { sha256: null });
  for (const [what, wanted] of [
    ['with a digest', named],
    ['without one', nameless],
  ] as const)
    it(`${what} is fetched at once twice, then ever later, and the operator is told`, async (test) => {
      const bench = await StoreBench.create(test);
      const store = await bench.open();
      const origin = new OriginOf(a);
      const spoil = async () => {
        await store.ensure(wanted, origin);
        await writeFile(bench.mediaPath(sha256(a)), 'PIC tampered');
        assert.equal(await store.verify(sha256(a)), false);
      };
      for (let time = 0; time < 3; time++) await spoil();
      for (const pauseMs of [1, 4, 16, 60, 60].map((minutes) => minutes * 60_000)) {
        const asked = origin.offsets.length;
        const isRefused = (thrown: unknown) => (thrown as PlayerError).code === 'STORE_FAILED';
        await assert.rejects(store.ensure(wanted, origin), isRefused);
        // The clock of the bench moves by a millisecond whenever it is read.
        bench.nowMs += pauseMs - 1_000;
        await assert.rejects(store.ensure(wanted, origin), isRefused);
        assert.equal(origin.offsets.length, asked);
        await store.ensure(wanting(b, { assetId: 'b' }), new OriginOf(b));
        bench.nowMs += 1_000;
        await spoil();
      }
      bench.nowMs += 25 * 60 * 60_000;
      await spoil();
      await spoil();
    });
});

describe('an index that was lost', () => {
  it('is written while files are taken, and the next start reads none of them again', async (test) => {
    const bench = await StoreBench.create(test);
    for (const bytes of [a, b, c]) await put(await bench.open(), bytes);
    await rm(bench.path('index.json'));
    const again = await bench.open();
    assert.ok(await again.adopt(sha256(a)));
    const cutOff = await bench.open();
    assert.deepEqual([cutOff.indexWas, cutOff.locate(sha256(a))?.hash], ['whole', sha256(a)]);
    await again.adopt(sha256(b));
    await again.reconcile(signal);
    assert.equal((await bench.open()).oldestVerified().length, 3);
  });

  it('is written where there was none, so that it is not missed at each start', async (test) => {
    const bench = await StoreBench.create(test);
    await (await bench.open()).reconcile(signal);
    assert.equal((await bench.open()).indexWas, 'whole');
  });

  it('keeps no file from being taken where it cannot be written, and is written later', async (test) => {
    const bench = await StoreBench.create(test);
    await put(await bench.open(), a);
    await rm(bench.path('index.json'));
    const disk = new FailingDisk();
    const again = await bench.open({ files: disk.files });
    disk.fault = { call: 'rename', code: 'EROFS', path: /index/ };
    const { adopted, failure } = await again.reconcile(signal);
    assert.deepEqual([adopted, (failure as PlayerError).code], [[sha256(a)], 'STORE_READ_ONLY']);
    assert.equal(again.locate(sha256(a))?.hash, sha256(a));
    disk.fault = null;
    assert.equal((await again.reconcile(signal)).failure, null);
    assert.equal((await bench.open()).indexWas, 'whole');
  });

  it('is rebuilt where the disk cannot read it', async (test) => {
    const bench = await StoreBench.create(test);
    await put(await bench.open(), a);
    const disk = new FailingDisk();
    disk.fault = { call: ['readFile', 'rename'], code: 'EIO', path: /index/, times: 2 };
    const again = await bench.open({ files: disk.files });
    assert.equal(again.indexWas, 'damaged');
    assert.deepEqual((await again.reconcile(signal)).adopted, [sha256(a)]);
    assert.equal((await bench.open()).indexWas, 'whole');
  });

  it('is not taken for lost that could not be opened for a moment', async (test) => {
    const bench = await StoreBench.create(test);
    await put(await bench.open(), a);
    const disk = new FailingDisk();
    disk.fault = { call: 'readFile', code: 'EMFILE', path: /index/ };
    await assert.rejects(
      bench.open({ files: disk.files }),
      (thrown) => (thrown as PlayerError).code === 'STORE_FAILED',
    );
    assert.equal((await bench.open()).indexWas, 'whole');
  });
});
