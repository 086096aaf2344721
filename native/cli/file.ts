import { randomBytes } from 'node:crypto';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CliError } from './failure.ts';

/** Longest key, certificate chain or trust bundle that is read; Debian's whole trust store is 220 KiB. */
const MAX_BYTES = 4 * 1024 * 1024;

function failure(path: string, thrown: unknown): CliError {
  if (thrown instanceof CliError) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new CliError('FILE_MISSING', `${path} does not exist`, thrown);
  if (code === 'EEXIST') return new CliError('FILE_EXISTS', `${path} exists already`, thrown);
  return new CliError('FILE_ACCESS', `${path}: ${code ?? String(thrown)}`, thrown);
}

/** A small text file, such as a PEM. @throws CliError FILE_MISSING, FILE_ACCESS, FILE_INVALID */
export async function readText(path: string): Promise<string> {
  try {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      if (size > MAX_BYTES) throw new CliError('FILE_INVALID', `${path} is longer than ${MAX_BYTES} bytes`);
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    throw failure(path, thrown);
  }
}

/** For refusing before the work instead of after it. @throws CliError FILE_EXISTS */
export async function refuseExisting(path: string, force: boolean): Promise<void> {
  if (force) return;
  const there = await stat(path).catch(() => undefined);
  if (there !== undefined) throw failure(path, { code: 'EEXIST' });
}

/**
 * Write a file so that its whole content appears at once and survives a power cut.
 * @param mode permission bits from the first moment
 * @param force replace what is there; else it stays as it is
 * @throws CliError FILE_EXISTS, FILE_MISSING for the folder, FILE_ACCESS
 */
export async function writeWhole(path: string, content: string | Buffer, mode: number, force: boolean): Promise<void> {
  const waiting = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    const handle = await open(waiting, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // A link, unlike a rename, fails where a file came into being in the meantime.
    await (force ? rename(waiting, path) : link(waiting, path));
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (thrown) {
    throw failure(path, thrown);
  } finally {
    await rm(waiting, { force: true });
  }
}
