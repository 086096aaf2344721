/**
 * Create a key in the TPM, load it, sign with it, and verify as anybody would.
 *
 *     node sign.mjs [TCTI]
 */
import { createHash, verify } from 'node:crypto';
import process from 'node:process';
import { openTpm } from 'node-tss';

const tpm = await openTpm({ tcti: process.argv[2] ?? 'device:/dev/tpmrm0' });
try {
  // The file to keep (mode 0600). It is wrapped for this TPM: a copy of it is of no use elsewhere.
  const pem = await tpm.createKey();
  const key = await tpm.loadKey(pem);

  const message = Buffer.from('what the key vouches for');
  const signature = await key.sign(createHash('sha256').update(message).digest());

  const publicKey = /** @type {const} */ ({ key: key.publicKey, format: 'der', type: 'spki' });
  console.log('verified:', verify('sha256', message, publicKey, signature));
} finally {
  await tpm.close();
}
