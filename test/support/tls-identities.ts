import { createPublicKey } from 'node:crypto';
import type { SigningKey } from 'node-tss';
import { type Authority, createAuthority, createKey, keyPem } from './certificates.ts';

const DAY_MS = 86_400_000;

/** A server's certificate and key, PEM. */
export interface ServerIdentity {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface ValidityDays {
  readonly fromDays?: number;
  readonly toDays?: number;
}

/** A certificate for `localhost` and 127.0.0.1, or for other names, valid today unless told otherwise. */
export function serverIdentity(
  authority: Authority,
  names: readonly string[] = ['localhost', '127.0.0.1'],
  { fromDays = -1, toDays = 30 }: ValidityDays = {},
): ServerIdentity {
  const { privateKey, publicKey } = createKey();
  const { pem } = authority.issue({
    commonName: 'localhost',
    publicKey,
    notBefore: new Date(Date.now() + fromDays * DAY_MS),
    notAfter: new Date(Date.now() + toDays * DAY_MS),
    purposes: ['serverAuth'],
    names,
  });
  return { certificatePem: pem, keyPem: keyPem(privateKey) };
}

/** A client certificate for a key of node-tss. */
export function clientCertificate(authority: Authority, key: SigningKey, commonName = 'screen'): string {
  return authority.issue({
    commonName,
    publicKey: createPublicKey({ key: key.publicKey, format: 'der', type: 'spki' }),
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 30 * DAY_MS),
    purposes: ['clientAuth'],
  }).pem;
}

/** A fresh authority for servers and another one for clients. */
export function authorities(): { readonly servers: Authority; readonly clients: Authority } {
  return { servers: createAuthority('Test servers'), clients: createAuthority('Test clients') };
}
