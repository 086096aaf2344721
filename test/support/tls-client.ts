import { text } from 'node:stream/consumers';
import { type ConnectOptions, connect, type SigningKey, softwareKey, type TlsStream } from 'node-tss';
import { type Authority, createKey, keyPem } from './certificates.ts';
import { clientCertificate } from './tls-identities.ts';

/** A request after which the server closes. */
export const getRoot = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/** Options for a server on this machine that is called `localhost`. */
export function toLocalhost(port: number, ca: string, more: Partial<ConnectOptions> = {}): ConnectOptions {
  return { host: '127.0.0.1', servername: 'localhost', port, ca, ...more };
}

/** A key with a certificate of this authority; a new key in memory where none is given. */
export function clientIdentity(
  authority: Authority,
  key: SigningKey = softwareKey(keyPem(createKey().privateKey)),
): NonNullable<ConnectOptions['identity']> {
  return { key, certificateChain: clientCertificate(authority, key) };
}

/** Connects, asks for `/`, and reads until the server closes. */
export async function getPage(options: ConnectOptions): Promise<{ readonly stream: TlsStream; readonly page: string }> {
  const stream = await connect(options);
  stream.write(getRoot);
  return { stream, page: await text(stream) };
}
