/**
 * Requests with undici, mutual TLS with a key in the TPM: connections are kept, sessions resumed.
 *
 *     node undici.mjs https://host/ key.pem certificate.pem ca.pem [TCTI]
 */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { openTpm, TssError, undiciConnector } from 'node-tss';
import { Agent, fetch } from 'undici';

const [url, keyFile, certificateFile, caFile, tcti = 'device:/dev/tpmrm0'] = process.argv.slice(2);
if (!url || !keyFile || !certificateFile || !caFile) throw new Error('give a URL, a key, a certificate and its CA');

const allowed = new URL(url);
const ca = await readFile(caFile, 'utf8');
const certificateChain = await readFile(certificateFile, 'utf8');
const tpm = await openTpm({ tcti });
const key = await tpm.loadKey(await readFile(keyFile, 'utf8'));

const dispatcher = new Agent({
  connect: undiciConnector({
    // Asked for each connection: here a renewed certificate takes effect, and here other hosts are refused.
    credentials: ({ hostname, port }) => {
      if (hostname !== allowed.hostname || port !== allowed.port)
        throw new Error(`${hostname} may not see our identity`);
      return { ca, identity: { key, certificateChain } };
    },
  }),
});

try {
  for (let i = 0; i < 2; i++) {
    const response = await fetch(url, { dispatcher });
    console.log(response.status, (await response.text()).trim());
  }
} catch (error) {
  // fetch wraps what the connection said.
  const reason = error instanceof Error ? error.cause : undefined;
  if (!(reason instanceof TssError)) throw error;
  console.error(`${reason.code}: ${reason.message}`);
  process.exitCode = 1;
} finally {
  await dispatcher.close();
  await tpm.close();
}
