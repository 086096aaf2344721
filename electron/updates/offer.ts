import type { Release } from './statement.ts';

/** Why a version that the feed names is not tried. */
export type Refusal =
  | 'feed-invalid'
  | 'not-newer'
  | 'refused-earlier'
  | 'unsigned'
  | 'signature-wrong'
  | 'key-unusable'
  | 'folder-unwritable';

/** A new version that may be tried once its signature was verified. */
export interface Offer {
  readonly release: Release;
  /** Name of the file beside the feed. */
  readonly file: string;
}

export type Judged = { readonly offer: Offer } | { readonly refusal: Refusal };

/** Bytes; what a player weighs is a tenth of it. */
const mostBytes = 1024 ** 3;

const plainName = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,200}\.AppImage$/;
const digest = /^[A-Za-z0-9+/]{86}==$/;
const versions = /^\d{1,6}\.\d{1,6}\.\d{1,6}(?:-[0-9A-Za-z.-]{1,64})?$/;

/**
 * Judge what the feed says: pure. Nothing of it is trusted before; the signature is verified after.
 * @param info the feed as the library parsed it
 * @param isNewer whether the library took its version for a newer one
 * @param refused SHA-512 (base64) of what was tried earlier and did not start
 */
export function judgeOffer(
  info: unknown,
  isNewer: boolean,
  own: { readonly packageName: string; readonly arch: string; readonly refused: ReadonlySet<string> },
): Judged {
  const { version, files } = (info ?? {}) as { readonly version?: unknown; readonly files?: unknown };
  if (typeof version !== 'string' || !versions.test(version) || !Array.isArray(files))
    return { refusal: 'feed-invalid' };
  const [file, ...more] = files as readonly Readonly<Record<string, unknown>>[];
  const { url, sha512, size } = file ?? {};
  // One file, beside the feed: which one was meant and where it lies is never a question.
  if (more.length > 0 || typeof url !== 'string' || !plainName.test(url)) return { refusal: 'feed-invalid' };
  if (typeof sha512 !== 'string' || !digest.test(sha512)) return { refusal: 'feed-invalid' };
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1 || size > mostBytes)
    return { refusal: 'feed-invalid' };
  if (!isNewer) return { refusal: 'not-newer' };
  if (own.refused.has(sha512)) return { refusal: 'refused-earlier' };
  const { packageName, arch } = own;
  return { offer: { file: url, release: { packageName, version, arch, sizeBytes: size, sha512 } } };
}
