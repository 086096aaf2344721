/** The server's own certification authority, kept in its state folder. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Authority, createAuthority, createKey, keyPem, openAuthority } from '../support/certificates.ts';
import { writeAtomically } from './state-file.ts';

const authorityName = 'Signet reference server CA';
/** How far before now a certificate starts, for clocks that run behind. */
const backdateMs = 60_000;

export interface LocalAuthority {
  /** PEM file of the authority's certificate. */
  readonly caFile: string;
  readonly caPem: string;
  /** What certificates may chain to: the present authority, the next one once it is announced, and those before. */
  roots(): readonly string[];
  /** Make the next authority, which signs nothing before the roll-over. */
  announceNext(now: Date): void;
  /** The announced authority signs from now on; what the old one has signed stays good. @throws where none is announced */
  rollOver(): void;
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
export function openLocalAuthority(directory: string, now: Date): LocalAuthority {
  const at = (name: string) => join(directory, name);
  const caFile = at('ca.pem');
  let authority = openStored(caFile, at('ca.key'), now);
  const stored = (name: string) => (existsSync(at(name)) ? splitPem(readFileSync(at(name), 'utf8')) : []);
  return {
    caFile,
    get caPem() {
      return authority.certificatePem;
    },
    roots: () => [authority.certificatePem, ...stored('ca-next.pem'), ...stored('ca-before.pem')],
    announceNext(from) {
      openStored(at('ca-next.pem'), at('ca-next.key'), from, `${authorityName} ${from.getUTCFullYear()}`);
    },
    rollOver() {
      if (!existsSync(at('ca-next.pem'))) throw new Error('no authority was announced');
      writeAtomically(at('ca-before.pem'), [authority.certificatePem, ...stored('ca-before.pem')].join(''));
      // The certificate comes last here, too: see openStored.
      renameSync(at('ca-next.key'), at('ca.key'));
      renameSync(at('ca-next.pem'), caFile);
      authority = openStored(caFile, at('ca.key'), now);
    },
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

function openStored(caFile: string, keyFile: string, now: Date, name = authorityName): Authority {
  if (!existsSync(caFile)) {
    const created = createAuthority(name, now);
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
  return openAuthority(certificate.subject.replace(/^CN=/, ''), certificatePem, privateKey);
}

/** The certificates of a PEM bundle, one text each. */
export function splitPem(bundle: string): string[] {
  const found = bundle.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return found.map((pem) => `${pem}\n`);
}
