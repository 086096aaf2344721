import { PlayerError } from '../errors.ts';
import type { ChunkDigests } from './chunks.ts';
import { storeFailure } from './failure.ts';
import type { Folders } from './folders.ts';
import type { ByteSource, CachedMedia, MediaOrigin, Recognition, WantedMedia } from './media.ts';
import { type ReceivePorts, receive, removePart } from './receive.ts';
import type { Settle } from './settle.ts';
import { byteSource } from './source.ts';

/** What a commit needs from the world. */
export interface CommitPorts extends ReceivePorts {
  /** Tells by the content alone what a file is. */
  recognize(source: ByteSource): Promise<Recognition>;
  readonly folders: Folders;
  /** Makes a received file durable and gives it its name. */
  readonly settle: Settle;
}

/** A file that has its name, and the digests of its chunks. */
export interface Committed extends CachedMedia {
  readonly chunks: ChunkDigests;
}

/**
 * Bring one file into the store: part file → length → digest → kind → fdatasync →
 * rename → fsync of the folder. Its name appears under `media/` only when every
 * one of these held.
 *
 * @param key name of the part file
 * @throws PlayerError MEDIA_LENGTH, MEDIA_DIGEST, MEDIA_KIND, STORE_…, or what the origin throws
 */
export async function commit(
  key: string,
  wanted: WantedMedia,
  origin: MediaOrigin,
  ports: CommitPorts,
): Promise<Committed> {
  const once = await attempt(key, wanted, origin, ports);
  if (once !== 'halves-differ') return once;
  // What came at an earlier time was of another file, or was damaged since: all of it once more, at once.
  const again = await attempt(key, wanted, origin, ports);
  if (again !== 'halves-differ') return again;
  throw wrongDigest('digest');
}

async function attempt(
  key: string,
  wanted: WantedMedia,
  origin: MediaOrigin,
  ports: CommitPorts,
): Promise<Committed | 'halves-differ'> {
  const { folders, files } = ports;
  const part = folders.part(key);
  const { file, sizeBytes, digests, resumed } = await receive(part, wanted, origin, ports);
  try {
    const { sha256, md5, chunks } = digests.finish();
    const differs = wanted.sha256 !== null && sha256 !== wanted.sha256 ? 'SHA-256' : 'MD5';
    if (differs === 'SHA-256' || (wanted.md5 !== null && md5 !== wanted.md5)) {
      await removePart(part, files);
      if (resumed) return 'halves-differ';
      throw wrongDigest(differs);
    }
    const recognition = await ports.recognize(byteSource(file, sizeBytes));
    if (!recognition.ok) throw new PlayerError('MEDIA_KIND', `media: ${recognition.reason}`);
    await ports.settle({ file, part, hash: sha256 });
    return { hash: sha256, format: recognition.format, sizeBytes, chunks };
  } catch (thrown) {
    // What was refused must not be resumed: the next try starts from nothing.
    if (thrown instanceof PlayerError) await removePart(part, files).catch(() => undefined);
    throw storeFailure(thrown, 'storing media');
  } finally {
    await file.close().catch(() => undefined);
  }
}

function wrongDigest(name: string): PlayerError {
  return new PlayerError('MEDIA_DIGEST', `media: the ${name} is not the one in the playlist`);
}
