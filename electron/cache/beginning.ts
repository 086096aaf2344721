import * as z from 'zod';
import type { Files } from './folders.ts';

/** What a part file was begun with, kept beside it so that a download goes on after a crash. */
export interface Beginning {
  readonly url: string;
  /** Strong entity tag of the file that was sent (RFC 9110 §8.8.3), for If-Range. */
  readonly validator: string;
  /** Bytes that the digest below covers. */
  readonly bytes: number;
  /** SHA-256 of these bytes, hex: after a power cut a part file may be as long as it was and hold something else. */
  readonly sha256: string;
}

const schema = z.strictObject({
  url: z.string().max(8_192),
  validator: z.string().max(1_024),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** @returns `null` when there is none that can be used */
export async function readBeginning(path: string, files: Pick<Files, 'readFile'>): Promise<Beginning | null> {
  try {
    return schema.parse(JSON.parse(await files.readFile(path, 'utf8')));
  } catch {
    return null;
  }
}

/** It is proven before it is used, so it need not be durable; a rename keeps a killed process from leaving half of it. */
export async function writeBeginning(
  path: string,
  beginning: Beginning,
  files: Pick<Files, 'open' | 'rename'>,
): Promise<void> {
  const waiting = `${path}.new`;
  const file = await files.open(waiting, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(beginning));
  } finally {
    await file.close();
  }
  await files.rename(waiting, path);
}
