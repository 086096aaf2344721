import type { MediaHash } from '../playlist/playlist.ts';

/** The formats that a media file can be stored as; what each means is decided by `sanitize/`. */
export const mediaFormats = [
  ...(['jpeg', 'png', 'webp', 'avif', 'gif', 'svg'] as const),
  ...(['mp4', 'webm'] as const),
  ...(['mp3', 'm4a', 'weba', 'ogg', 'flac', 'wav'] as const),
] as const;

export type MediaFormat = (typeof mediaFormats)[number];

/** Bytes that can be looked at in places, so that a large file is never read whole. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** The bytes from an offset on: fewer than `length` only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** What content turned out to be. */
export type Recognition =
  | { readonly ok: true; readonly format: MediaFormat }
  /** `reason`: a short sentence for the log. */
  | { readonly ok: false; readonly reason: string };

/** A file that is in the cache. */
export interface CachedMedia {
  readonly hash: MediaHash;
  readonly format: MediaFormat;
  readonly sizeBytes: number;
}

/** What the playlist says of a file that is to be cached. */
export interface WantedMedia {
  readonly assetId: string;
  readonly url: string;
  /** `null`: unknown; the digest of the bytes is then recorded for this asset id, address, and MD5 or else size. */
  readonly sha256: MediaHash | null;
  readonly md5: string | null;
  readonly sizeBytes: number | null;
}

/** One answer of a media server, from `fetch`. */
export interface MediaBody {
  /** 200: the stream is the whole file; 206: it begins at the offset that was asked for, which the source has checked. */
  readonly status: 200 | 206;
  readonly stream: AsyncIterable<Uint8Array>;
  /** Size of the whole file, where the server tells it. */
  readonly totalBytes?: number;
  /** Strong entity tag of the file, where the server gives one. */
  readonly validator?: string;
  /** Called once, when no more is read: after the last byte or before. */
  close?(): void;
}

/** Where the bytes of one file come from. */
export interface MediaOrigin {
  /**
   * @param offset bytes that are here already; 0: none
   * @param validator entity tag of the file that they are of: another file is to be sent whole (If-Range)
   * @throws PlayerError of the transport, passed on as it is
   */
  fetch(offset: number, validator?: string): Promise<MediaBody>;
}

const hashPattern = /^[0-9a-f]{64}$/;

/** A text as a hash, when it is one: the only way from a text to a name in the store. */
export function mediaHash(text: string): MediaHash | null {
  return hashPattern.test(text) ? (text as MediaHash) : null;
}
