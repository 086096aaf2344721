import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { inCheckout } from './checkout.mjs';
import { narrate, SetupError } from './narration.mjs';

const REACHABLE_WITHIN_MS = 5000;

/**
 * @param {string} version
 * @param {string} arch
 * @returns {Promise<string | undefined>} why the official download cannot be had from here, undefined when it can
 */
async function unreachable(version, arch) {
  // A mirror that was asked for by name is tried without a probe.
  if (process.env.ELECTRON_MIRROR) return undefined;
  const name = `electron-v${version}-linux-${arch}.zip`;
  const url = `https://github.com/electron/electron/releases/download/v${version}/${name}`;
  try {
    // Follows the redirect too: the asset store is another host than the site.
    const reply = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(REACHABLE_WITHIN_MS) });
    return reply.ok ? undefined : `GitHub answered ${reply.status}`;
  } catch (error) {
    return error instanceof Error
      ? String(error.cause instanceof Error ? error.cause.message : error.message)
      : 'error';
  }
}

/**
 * Download and unpack the official Electron that package.json pins, checked against the sha256 sums
 * inside the `electron` npm package (which package-lock.json pins in turn).
 * @param {string} version
 * @param {string} target an empty folder
 * @param {string} arch the kind of machine that it is for, in Node's words
 * @returns {Promise<{version: string, origin: string} | undefined>} undefined on a closed network
 * @throws {SetupError} when the download's checksum differs: that is never a reason to fall back
 */
export async function unpackOfficialElectron(version, target, arch) {
  const reason = await unreachable(version, arch);
  if (reason !== undefined) {
    narrate('electron', `the official Electron ${version} for ${arch} cannot be reached (${reason})`);
    return undefined;
  }
  narrate('electron', `fetching the official Electron ${version} (about 120 MB)`);
  const { downloadArtifact } = await import('@electron/get');
  const { extract } = await import('@electron-internal/extract-zip');
  const checksums = JSON.parse(await readFile(inCheckout('node_modules/electron/checksums.json'), 'utf8'));
  try {
    const zip = await downloadArtifact({
      version,
      artifactName: 'electron',
      platform: 'linux',
      arch,
      checksums,
      cacheRoot: process.env.electron_config_cache,
    });
    await extract(zip, { dir: target });
  } catch (error) {
    throw new SetupError(
      `Electron ${version} could not be downloaded whole and with its known checksum`,
      'run the command again; if the checksum differs again, report it to the project',
      error,
    );
  }
  return { version, origin: `official ${version}` };
}
