import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MediaBody, MediaOrigin, Recognition, WantedMedia } from '../../electron/cache/media.ts';
import { type MediaStore, openStore, type StoreOptions } from '../../electron/cache/store.ts';
import type { MediaHash } from '../../electron/playlist/playlist.ts';

/** Content that the tests' recognizer takes for a picture; anything that begins otherwise is refused. */
export function picture(text: string): Buffer {
  return Buffer.from(`PIC ${text}`);
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex') as MediaHash;
export const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');

/** What a playlist would say of these bytes. */
export function wanting(bytes: Uint8Array, more: Partial<WantedMedia> = {}): WantedMedia {
  const url = 'https://media.example/a';
  return { assetId: 'asset', url, sha256: sha256(bytes), md5: md5(bytes), sizeBytes: bytes.length, ...more };
}

interface OriginBehaviour {
  readonly ranges?: boolean;
  /** Bytes of the file after which the connection dies. */
  readonly breakAt?: number;
  readonly totalBytes?: number;
  readonly chunkBytes?: number;
  /** Entity tag of the file; a resume that names another gets all of it. */
  readonly etag?: string;
}

/** A media server with one file; remembers which offsets it was asked for. */
export class OriginOf implements MediaOrigin {
  readonly offsets: number[] = [];
  /** Entity tags that it was asked to compare (If-Range). */
  readonly validators: (string | undefined)[] = [];
  closed = 0;
  readonly #bytes: Uint8Array;
  readonly #behaviour: OriginBehaviour;

  constructor(bytes: Uint8Array, behaviour: OriginBehaviour = {}) {
    this.#bytes = bytes;
    this.#behaviour = behaviour;
  }

  async fetch(offset: number, validator?: string): Promise<MediaBody> {
    this.offsets.push(offset);
    this.validators.push(validator);
    const { ranges = true, totalBytes, etag } = this.#behaviour;
    const from = ranges && (validator === undefined || validator === etag) ? offset : 0;
    return {
      status: from > 0 ? 206 : 200,
      stream: this.#chunks(from),
      ...(totalBytes === undefined ? {} : { totalBytes }),
      ...(etag === undefined ? {} : { validator: etag }),
      close: () => void this.closed++,
    };
  }

  async *#chunks(from: number): AsyncGenerator<Uint8Array> {
    const { breakAt = Number.POSITIVE_INFINITY, chunkBytes = 7 } = this.#behaviour;
    for (let at = from; at < this.#bytes.length; at += chunkBytes) {
      const end = Math.min(at + chunkBytes, breakAt);
      if (end > at) yield this.#bytes.subarray(at, end);
      if (end === breakAt) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    }
  }
}

async function recognize(source: { read(offset: number, length: number): Promise<Uint8Array> }): Promise<Recognition> {
  const head = Buffer.from(await source.read(0, 4)).toString('latin1');
  return head === 'PIC ' ? { ok: true, format: 'png' } : { ok: false, reason: 'it is of no kind that is shown' };
}

/** A store in a folder of its own and a clock that moves by hand. */
export class StoreBench {
  readonly directory: string;
  nowMs = 1_700_000_000_000;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** The folder is removed with the end of the test. */
  static async create(test: { after(end: () => Promise<void>): void }): Promise<StoreBench> {
    const directory = await mkdtemp(join(tmpdir(), 'signet-store-'));
    // The store may be writing its index still.
    test.after(() => rm(directory, { recursive: true, maxRetries: 10, retryDelay: 20 }));
    return new StoreBench(directory);
  }

  open(more: Partial<StoreOptions> = {}): Promise<MediaStore> {
    const now = () => this.nowMs++;
    return openStore({
      directory: this.directory,
      recognize,
      maxBytes: 1_000,
      budgetBytes: 1_000_000,
      reserveBytes: 0,
      now,
      damaged: (hash, how) => void this.damaged.push([hash, how]),
      failed: (thrown) => void this.failures.push(thrown),
      ...more,
    });
  }

  /** What the store said of itself while nobody waited for it. */
  readonly damaged: [MediaHash, string][] = [];
  readonly failures: unknown[] = [];

  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  mediaPath(hash: MediaHash): string {
    return this.path('media', hash.slice(0, 2), hash);
  }
}
