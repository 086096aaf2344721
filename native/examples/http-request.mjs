/**
 * `https.request` in all but name: node:http over a connection of ours.
 *
 *     node http-request.mjs https://host/ key.pem certificate.pem ca.pem [TCTI]
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import process from 'node:process';
import { connect, openTpm, TssError } from 'node-tss';

const [address, keyFile, certificateFile, caFile, tcti = 'device:/dev/tpmrm0'] = process.argv.slice(2);
if (!address || !keyFile || !certificateFile || !caFile) throw new Error('give a URL, a key, a certificate and its CA');

const url = new URL(address);
const tpm = await openTpm({ tcti });
try {
  const key = await tpm.loadKey(await readFile(keyFile, 'utf8'));
  const stream = await connect({
    host: url.hostname,
    port: Number(url.port || 443),
    alpn: ['http/1.1'],
    ca: await readFile(caFile, 'utf8'),
    identity: { key, certificateChain: await readFile(certificateFile, 'utf8') },
  });
  const outgoing = request({
    createConnection: () => stream,
    path: url.pathname + url.search,
    setHost: false,
    headers: { host: url.host, connection: 'close' },
  });
  outgoing.end();
  const [response] = await once(outgoing, 'response');
  console.log(response.statusCode, (await response.setEncoding('utf8').toArray()).join('').trim());
} catch (error) {
  if (!(error instanceof TssError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await tpm.close();
}
