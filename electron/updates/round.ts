import type { KeyObject } from 'node:crypto';
import { judgeOffer, type Offer, type Refusal } from './offer.ts';
import { isSigned } from './statement.ts';

/** What one look at the feed needs of the world. */
export interface RoundPorts {
  look(): Promise<{ readonly info: unknown; readonly isNewer: boolean }>;
  /** `null` where there is none. */
  signature(file: string): Promise<string | null>;
  /** The pinned key, read anew; `null` where it is none. */
  key(): Promise<KeyObject | null>;
  refused(): Promise<ReadonlySet<string>>;
  /** Whether a file can be made beside the present one. */
  isWritable(): Promise<boolean>;
  /** @throws PlayerError STORE_FULL */
  assertRoom(bytes: number): Promise<void>;
  download(offer: Offer): Promise<string>;
  /** Put the file beside the present one. @returns where it lies */
  place(file: string, offer: Offer): Promise<string>;
}

export type Round = { readonly refusal: Refusal } | { readonly offer: Offer; readonly next: string };

/**
 * Look at the feed once. Nothing is downloaded before the signature over it was verified, and nothing is started here.
 * @throws PlayerError, or the system's own errors: tried again at the next look
 */
export async function lookOnce(
  own: { readonly packageName: string; readonly arch: string },
  ports: RoundPorts,
): Promise<Round> {
  const { info, isNewer } = await ports.look();
  const judged = judgeOffer(info, isNewer, { ...own, refused: await ports.refused() });
  if ('refusal' in judged) return judged;
  const { offer } = judged;
  const key = await ports.key();
  if (key === null) return { refusal: 'key-unusable' };
  const signature = await ports.signature(offer.file);
  if (signature === null) return { refusal: 'unsigned' };
  if (!isSigned(offer.release, signature, key)) return { refusal: 'signature-wrong' };
  if (!(await ports.isWritable())) return { refusal: 'folder-unwritable' };
  await ports.assertRoom(offer.release.sizeBytes);
  return { offer, next: await ports.place(await ports.download(offer), offer) };
}
