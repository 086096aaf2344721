import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { chunkBytes, createDigests, digestsLength } from '../../../electron/cache/chunks.ts';
import { type Files, realFiles } from '../../../electron/cache/folders.ts';
import type { MediaStore } from '../../../electron/cache/store.ts';
import type { PlayerError } from '../../../electron/errors.ts';
import { OriginOf, StoreBench, sha256, wanting } from '../../support/cache-store.ts';

const maxBytes = 16 * 2 ** 20;
/** Two chunks and a bit, different everywhere. */
const film = Buffer.concat([
  Buffer.from('PIC '),
  ...Array.from({ length: 2 * 32_768 + 9 }, (_, at) => createHash('sha512').update(String(at)).digest()),
]);
const hash = sha256(film);

async function collect(store: MediaStore, first = 0, last = film.length - 1): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(hash, first, last)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function stored(test: Parameters<typeof StoreBench.create>[0]) {
  const bench = await StoreBench.create(test);
  const open = () => bench.open({ maxBytes });
  const first = await open();
  await first.ensure(wanting(film), new OriginOf(film, { chunkBytes: 65_521 }));
  return { bench, first, open };
}

/** Turn one bit over. */
async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  buffer[0] = (buffer[0] ?? 0) ^ 1;
  await file.write(buffer, 0, 1, at);
  await file.close();
}

async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('the digests of chunks', () => {
  it('are those of every 2 MiB, however the bytes come', () => {
    for (const piece of [1_000_003, chunkBytes, 5 * chunkBytes]) {
      const digests = createDigests(false);
      for (let at = 0; at < film.length; at += piece) digests.update(film.subarray(at, at + piece));
      const { sha256: whole, chunks } = digests.finish();
      const expected = [0, 1, 2].map((index) => film.subarray(index * chunkBytes, (index + 1) * chunkBytes));
      assert.equal(whole, hash);
      assert.deepEqual(chunks, Buffer.from(expected.map(sha256).join(''), 'hex'));
      assert.equal(chunks.length, digestsLength(film.length));
    }
  });

  it('are none for a file of at most one chunk', () => {
    for (const size of [1, chunkBytes]) {
      const digests = createDigests(false);
      digests.update(new Uint8Array(size));
      assert.deepEqual([digests.finish().chunks.length, digestsLength(size)], [0, 0]);
    }
    assert.equal(digestsLength(chunkBytes + 1), 64);
  });
});

describe('reading a stored file', () => {
  it('gives the very bytes, from any place, also after a restart', async (test) => {
    const { open } = await stored(test);
    const store = await open();
    assert.deepEqual(await collect(store), film);
    for (const [first, last] of [
      [0, 0],
      [chunkBytes - 1, chunkBytes],
      [chunkBytes, 2 * chunkBytes - 1],
      [film.length - 1, film.length - 1],
    ] as const)
      assert.deepEqual(await collect(store, first, last), film.subarray(first, last + 1));
  });

  it('reads no more of it than the chunks that are asked for, and nothing at the start of the store', async (test) => {
    const { bench } = await stored(test);
    let readBytes = 0;
    const files: Files = {
      ...realFiles,
      open: async (path, ...more) => {
        const file = await realFiles.open(path, ...more);
        if (!String(path).startsWith(bench.path('media'))) return file;
        const read = file.read.bind(file) as (...words: unknown[]) => Promise<{ bytesRead: number }>;
        file.read = (async (...words: unknown[]) => {
          const result = await read(...words);
          readBytes += result.bytesRead;
          return result;
        }) as typeof file.read;
        return file;
      },
    };
    const store = await bench.open({ maxBytes, files });
    assert.equal(readBytes, 0);
    assert.deepEqual(await collect(store, film.length - 1), film.subarray(-1));
    assert.equal(readBytes, film.length - 2 * chunkBytes);
    await collect(store, 5, 6);
    assert.equal(readBytes, film.length - chunkBytes);
  });

  it('gives no byte of a chunk in which one bit is wrong, puts the file away and says so', async (test) => {
    const { bench, open } = await stored(test);
    const store = await open();
    await flip(bench.mediaPath(hash), chunkBytes + 5);
    const got: Uint8Array[] = [];
    await assert.rejects(async () => {
      for await (const chunk of store.read(hash, 0, film.length - 1)) got.push(chunk);
    });
    assert.deepEqual(Buffer.concat(got), film.subarray(0, chunkBytes), 'the chunk before is whole');
    await until(async () => !(await readFile(bench.path('index.json'), 'utf8')).includes(hash));
    assert.deepEqual(await readdir(bench.path('quarantine')), [hash]);
    assert.deepEqual([bench.damaged, store.locate(hash)], [[[hash, 'damaged']], null]);
  });

  it('tells a file that is gone from one that is damaged', async (test) => {
    const { bench, first } = await stored(test);
    await rm(bench.mediaPath(hash));
    await assert.rejects(collect(first));
    await until(async () => !(await readFile(bench.path('index.json'), 'utf8')).includes(hash));
    assert.deepEqual(bench.damaged, [[hash, 'absent']]);
  });

  it('keeps a good file whose digests in the index are wrong, and puts them right', async (test) => {
    const { bench, open } = await stored(test);
    const text = await readFile(bench.path('index.json'), 'utf8');
    const document = JSON.parse(text.slice(text.indexOf('\n')));
    document.media[0].chunks = Buffer.alloc(96).toString('base64');
    const body = `${JSON.stringify(document)}\n`;
    const header = JSON.stringify({ version: 2, sha256: sha256(Buffer.from(body)) });
    await writeFile(bench.path('index.json'), `${header}\n${body}`);
    const store = await open();
    assert.ok(await store.verify(hash));
    assert.deepEqual(await collect(store), film);
    assert.deepEqual(bench.damaged, []);
  });

  it('verifies at the pace that it is given', async (test) => {
    const { first } = await stored(test);
    const asked: number[] = [];
    assert.ok(await first.verify(hash, async (bytes) => void asked.push(bytes)));
    assert.deepEqual(asked, [chunkBytes, chunkBytes, film.length - 2 * chunkBytes]);
  });

  it('finds the damage also where the disk does not let it be put away, and says so', {
    skip: process.getuid?.() === 0,
  }, async (test) => {
    const { bench, first } = await stored(test);
    await flip(bench.mediaPath(hash), 9);
    await chmod(bench.path('quarantine'), 0o500);
    assert.equal(await first.verify(hash), false);
    await chmod(bench.path('quarantine'), 0o700);
    assert.deepEqual([bench.damaged, first.locate(hash)], [[[hash, 'damaged']], null]);
    assert.deepEqual(
      bench.failures.map((thrown) => (thrown as PlayerError).code),
      ['STORE_FAILED'],
      'it is said',
    );
  });
});
