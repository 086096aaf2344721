import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkout, inCheckout } from '../bootstrap/checkout.mjs';
import { SetupError } from '../bootstrap/narration.mjs';

/**
 * Start the reference server in this process; it keeps its port between runs, because a screen
 * stays registered at an origin.
 * @param {string} stateFolder
 * @param {number | undefined} askedPort
 * @param {string} makerPem authority of the maker of TPMs whose chips count as genuine; may be empty
 * @returns {Promise<any>} the Backend of test/backend
 * @throws {SetupError} when the port is taken
 */
export async function startReferenceServer(stateFolder, askedPort, makerPem) {
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  const portFile = path.join(stateFolder, 'port');
  const keptPort = await readFile(portFile, 'utf8').then(Number, () => 0);
  const port = askedPort ?? keptPort;
  const { startBackend } = await import(pathToFileURL(inCheckout('dist/demo/backend/backend.mjs')).href);
  let backend;
  try {
    backend = await startBackend({
      ...{ stateDirectory: stateFolder, port, projectDirectory: checkout },
      // Preferred and not required: a TPM of a state folder from before has no certificate.
      attestation: 'preferred',
      endorsementAuthorities: makerPem === '' ? [] : [makerPem],
    });
  } catch (error) {
    const remedy = `free port ${port}, or choose another: npm start -- --fresh --server-port 0`;
    throw new SetupError('the reference server did not start', remedy, error);
  }
  await writeFile(portFile, new URL(backend.origin).port);
  return backend;
}
