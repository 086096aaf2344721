import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/**
 * @param {'sha256' | 'sha512'} algorithm
 * @param {string} file
 * @returns {Promise<Buffer>}
 */
export async function fileDigest(algorithm, file) {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  return hash.digest();
}

/**
 * One digest over the names and contents of files below a folder: changes exactly when a build of them may.
 * @param {string} folder
 * @param {(relativePath: string) => boolean} wanted
 * @param {readonly string[]} [seeds] other facts the result depends on
 * @returns {Promise<string>} sha256, hex
 */
export async function treeDigest(folder, wanted, seeds = []) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
    .filter(wanted)
    .sort();
  const hash = createHash('sha256');
  for (const seed of seeds) hash.update(`${seed}\0`);
  for (const file of files) hash.update(`${file}\0`).update(await readFile(path.join(folder, file)));
  return hash.digest('hex');
}

/**
 * @param {string} file
 * @returns {Promise<string | undefined>} the file's text without surrounding space, undefined when absent
 */
export async function readStamp(file) {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    return undefined;
  }
}
