import { syncFolder } from '../atomic-file.ts';
import { PlayerError } from '../errors.ts';
import { byteSource } from './digest.ts';
import { storeFailure } from './failure.ts';
import type { Files, Folders } from './folders.ts';
import type { ByteSource, CachedMedia, MediaOrigin, Recognition, WantedMedia } from './media.ts';
import { receive } from './receive.ts';

/** What a commit needs from the world. */
export interface CommitPorts {
  /** Tells by the content alone what a file is. */
  recognize(source: ByteSource): Promise<Recognition>;
  readonly folders: Folders;
  readonly files: Files;
  /** Longest media file, bytes. */
  readonly maxBytes: number;
}

/**
 * Bring one file into the store: part file → length → digest → kind → fsync →
 * rename → fsync of the folder. Its name appears under `media/` only when every
 * one of these held.
 *
 * @param key name of the part file
 * @throws PlayerError MEDIA_LENGTH, MEDIA_DIGEST, MEDIA_KIND, STORE_FULL, STORE_FAILED, or what the origin throws
 */
export async function commit(
  key: string,
  wanted: WantedMedia,
  origin: MediaOrigin,
  ports: CommitPorts,
): Promise<CachedMedia> {
  const { folders, files } = ports;
  const part = folders.part(key);
  const { file, sizeBytes, digest } = await receive(part, wanted, origin, ports.maxBytes, files);
  try {
    const { sha256, md5 } = digest.finish();
    if (wanted.sha256 !== null && sha256 !== wanted.sha256) throw wrongDigest('SHA-256');
    if (wanted.md5 !== null && md5 !== wanted.md5) throw wrongDigest('MD5');
    const recognition = await ports.recognize(byteSource(file, sizeBytes));
    if (!recognition.ok) throw new PlayerError('MEDIA_KIND', `media: ${recognition.reason}`);
    await file.sync();
    const folder = await folders.prepareFor(sha256);
    await files.rename(part, folders.media(sha256));
    await syncFolder(folder, files);
    return { hash: sha256, format: recognition.format, sizeBytes };
  } catch (thrown) {
    // What was refused must not be resumed: the next try starts from nothing.
    if (thrown instanceof PlayerError) await files.rm(part, { force: true }).catch(() => undefined);
    throw storeFailure(thrown, 'storing media');
  } finally {
    await file.close().catch(() => undefined);
  }
}

function wrongDigest(name: string): PlayerError {
  return new PlayerError('MEDIA_DIGEST', `media: the ${name} is not the one in the playlist`);
}
