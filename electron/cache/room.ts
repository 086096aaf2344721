import { PlayerError } from '../errors.ts';
import type { Files } from './folders.ts';

/** What the file system has left for the player's user. */
export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Inodes; `null` where the file system does not count them. */
  readonly freeFiles: number | null;
}

const gib = 2 ** 30;
/** A commit needs an inode for the file and one for the index that replaces the old one. */
const leastFreeFiles = 8;

/** @returns `null` where the system does not tell */
export async function readSpace(directory: string, files: Pick<Files, 'statfs'>): Promise<Space | null> {
  try {
    const { bavail, blocks, bsize, files: all, ffree } = await files.statfs(directory);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeFiles: all === 0 ? null : ffree };
  } catch {
    return null;
  }
}

/**
 * Bytes that the store leaves free: what the settings say, else a tenth of the file system, between 1 and 4 GiB and
 * never more than a quarter of it.
 */
export function reserveOf(setting: number | undefined, totalBytes: number): number {
  if (setting !== undefined) return setting;
  return Math.min(totalBytes / 4, Math.max(gib, Math.min(totalBytes / 10, 4 * gib)));
}

/** What a store holds and may hold, bytes. */
export interface Holding {
  readonly storedBytes: number;
  readonly budgetBytes: number;
  readonly reserveBytes: number | undefined;
  /** Of downloads under way that are still to be written. */
  readonly promisedBytes: number;
}

/** How many bytes have to go so that `moreBytes` can come; 0 or less when they can. */
export function excessBytes(moreBytes: number, holding: Holding, space: Space | null): number {
  const comingBytes = holding.promisedBytes + moreBytes;
  const overBudget = holding.storedBytes + comingBytes - holding.budgetBytes;
  if (space === null) return overBudget;
  return Math.max(overBudget, comingBytes + reserveOf(holding.reserveBytes, space.totalBytes) - space.freeBytes);
}

/**
 * Refuse what the disk cannot take without touching the reserve. The budget alone refuses nothing here: what plays now
 * and what plays next may exceed it together until the change is over.
 * @throws PlayerError STORE_FULL, STORE_INODES_FULL
 */
export function assertRoom(moreBytes: number, holding: Holding, space: Space | null): void {
  if (space === null || moreBytes <= 0) return;
  if (space.freeFiles !== null && space.freeFiles < leastFreeFiles)
    throw new PlayerError('STORE_INODES_FULL', 'no inode is free: remove files from this file system');
  const reserve = reserveOf(holding.reserveBytes, space.totalBytes);
  const missing = Math.ceil(holding.promisedBytes + moreBytes + reserve - space.freeBytes);
  if (missing > 0)
    throw new PlayerError(
      'STORE_FULL',
      `${missing} bytes are missing on the disk: free space, or lower store.reserveBytes (${Math.floor(reserve)} now)`,
    );
}
