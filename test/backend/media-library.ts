/** The sample media, by digest: what `/media/<sha256>` serves. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

const contentTypes: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
};

export interface Media {
  readonly name: string;
  readonly contentType: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly md5: string;
  readonly sizeBytes: number;
  readonly bytes: Buffer;
}

export class MediaLibrary {
  readonly #byDigest = new Map<string, Media>();
  readonly #byName = new Map<string, Media>();

  /** Add bytes under a name; a later one of the same name replaces it in {@link byName}. */
  add(name: string, bytes: Buffer): Media {
    const media: Media = {
      name,
      contentType: contentTypes[extname(name)] ?? 'application/octet-stream',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      md5: createHash('md5').update(bytes).digest('hex'),
      sizeBytes: bytes.length,
      bytes,
    };
    this.#byDigest.set(media.sha256, media);
    this.#byName.set(name, media);
    return media;
  }

  bySha256(sha256: string): Media | undefined {
    return this.#byDigest.get(sha256);
  }

  /** @throws when there is no such file */
  byName(name: string): Media {
    const media = this.#byName.get(name);
    if (media === undefined) throw new Error(`the media library has no ${name}`);
    return media;
  }
}

/** The library of a folder's images and videos. */
export function openMediaLibrary(directory: string): MediaLibrary {
  const library = new MediaLibrary();
  for (const name of readdirSync(directory)) {
    if (extname(name) in contentTypes) library.add(name, readFileSync(join(directory, name)));
  }
  return library;
}
