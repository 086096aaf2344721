/** The server's own certification authority, kept in its state folder. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Authority, createAuthority, createKey, keyPem, openAuthority } from '../support/certificates.ts';
import { writeAtomically } from './state-file.ts';

const authorityName = 'Signet reference server CA';
/** How far before now a certificate starts, for clocks that run behind. */
const backdateMs = 60_000;

export interface Issuer {
  /** PEM file of the authority's certificate. */
  readonly caFile: string;
  readonly caPem: string;
  /** A client certificate: CN = hostname, digitalSignature, clientAuth. */
  issueClient(options: { hostname: string; publicKey: KeyObject; nowMs: number; lifetimeSeconds: number }): {
    readonly pem: string;
    readonly serial: string;
    readonly notAfterMs: number;
  };
  /** A key and certificate for this server: localhost, loopback addresses and the machine's name. */
  issueServer(nowMs: number): { readonly key: string; readonly cert: string };
}

/**
 * Open the authority of a folder, or create it (0600).
 * @throws when the stored parts do not belong together
 */
export function openIssuer(directory: string, now: Date): Issuer {
  const caFile = join(directory, 'ca.pem');
  const authority = openStored(caFile, join(directory, 'ca.key'), now);
  return {
    caFile,
    caPem: authority.certificatePem,
    issueClient({ hostname: commonName, publicKey, nowMs, lifetimeSeconds }) {
      const notAfter = new Date(Math.floor(nowMs / 1000 + lifetimeSeconds) * 1000);
      const issued = authority.issue({
        commonName,
        publicKey,
        notBefore: new Date(nowMs - backdateMs),
        notAfter,
        purposes: ['clientAuth'],
      });
      return { ...issued, notAfterMs: notAfter.getTime() };
    },
    issueServer(nowMs) {
      const { privateKey, publicKey } = createKey();
      const issued = authority.issue({
        commonName: 'localhost',
        publicKey,
        notBefore: new Date(nowMs - backdateMs),
        notAfter: new Date(nowMs + 397 * 86_400_000),
        purposes: ['serverAuth'],
        names: [...new Set(['localhost', '127.0.0.1', '::1', hostname().toLowerCase()])],
      });
      return { key: keyPem(privateKey), cert: issued.pem };
    },
  };
}

function openStored(caFile: string, keyFile: string, now: Date): Authority {
  if (!existsSync(caFile)) {
    const created = createAuthority(authorityName, now);
    // The certificate comes last: it marks a complete pair, so an interrupted first start begins again.
    writeAtomically(keyFile, keyPem(created.privateKey));
    writeAtomically(caFile, created.certificatePem);
    return created;
  }
  const certificatePem = readFileSync(caFile, 'utf8');
  const privateKey = createPrivateKey(readFileSync(keyFile, 'utf8'));
  const certificate = new X509Certificate(certificatePem);
  if (!certificate.checkPrivateKey(privateKey) || !certificate.verify(createPublicKey(privateKey))) {
    throw new Error(`${keyFile} is not the key of ${caFile}; restore the pair from a copy`);
  }
  return openAuthority(authorityName, certificatePem, privateKey);
}
