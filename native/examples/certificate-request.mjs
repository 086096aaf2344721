/**
 * A certificate request for a key in the TPM, on standard output.
 *
 *     node certificate-request.mjs key.pem CN=screen-7,O=Example [TCTI]
 */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { certificateRequest, openTpm } from 'node-tss';

const [keyFile, subject, tcti = 'device:/dev/tpmrm0'] = process.argv.slice(2);
if (keyFile === undefined || subject === undefined) throw new Error('give a key file and a subject');

const tpm = await openTpm({ tcti });
try {
  const key = await tpm.loadKey(await readFile(keyFile, 'utf8'));
  process.stdout.write(await certificateRequest(subject, key));
} finally {
  await tpm.close();
}
