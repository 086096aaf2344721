/** A maker of TPMs with a hierarchy as it is told to be, by openssl: certificates that a real maker would not write. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openssl } from './openssl.ts';

/** What a certificate says; the usual of its kind where absent. */
export interface Wording {
  /** Lines of openssl's x509v3_config(5). */
  readonly extensions?: readonly string[];
  readonly subject?: string;
  /** Days from now; some in the past where negative. */
  readonly days?: number;
  readonly digest?: 'sha256' | 'sha1';
  readonly key?: readonly string[];
  /** Maker, model and version of the chip that `dirName:chip` names. */
  readonly chip?: readonly [string, string, string];
}

/** An authority that has signed, or can. */
export interface ChainAuthority {
  readonly pem: string;
  /** An authority below. */
  authority(wording?: Wording): ChainAuthority;
  /** The certificate of an endorsement key, DER. @param publicKeyPem SubjectPublicKeyInfo */
  endorse(publicKeyPem: string, wording?: Wording): Buffer;
}

export const authorityExtensions = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
];
/** Infineon's vendor id, and a name as its chips have them. */
const usualChip = ['id:49465800', 'SLB 9670', 'id:0755'] as const;
export const endorsementExtensions = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,keyAgreement',
  'extendedKeyUsage=2.23.133.8.1',
  'subjectAltName=critical,dirName:chip',
  'authorityKeyIdentifier=keyid',
];

/** A root of a maker, trusted by whoever pins it. */
export function chainRoot(t: Pick<TestContext, 'after'>, wording: Wording = {}): ChainAuthority {
  const folder = mkdtempSync(join(tmpdir(), 'signet-chain-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let made = 0;

  const write = (
    what: { readonly key?: string; readonly publicKeyPem?: string; readonly issuer?: string },
    given: Wording,
    usual: { readonly extensions: readonly string[]; readonly subject: string },
  ): string => {
    const at = join(folder, String(made++));
    // openssl takes what is before the first dot away.
    const names = (given.chip ?? usualChip).map((value, number) => `1.2.23.133.2.${number + 1}=${value}`);
    writeFileSync(`${at}.ext`, [...(given.extensions ?? usual.extensions), '[chip]', ...names].join('\n'));
    if (what.publicKeyPem !== undefined) writeFileSync(`${at}.pub`, what.publicKeyPem);
    const subject = ['-subj', given.subject ?? usual.subject];
    // A request needs a key that signs it; the certificate of a chip gets the chip's in its place.
    openssl(['req', '-new', '-key', what.key ?? `${what.issuer}.key`, ...subject, '-out', `${at}.csr`]);
    const key = what.publicKeyPem === undefined ? [] : ['-force_pubkey', `${at}.pub`];
    const signer =
      what.issuer === undefined
        ? ['-signkey', what.key ?? '']
        : ['-CA', `${what.issuer}.pem`, '-CAkey', `${what.issuer}.key`, '-set_serial', String(made)];
    const how = ['-extfile', `${at}.ext`, '-days', String(given.days ?? 30), `-${given.digest ?? 'sha256'}`];
    openssl(['x509', '-req', '-in', `${at}.csr`, ...key, ...signer, ...how, '-out', `${at}.pem`]);
    return at;
  };

  const authority = (issuer: string | undefined, given: Wording): ChainAuthority => {
    const key = join(folder, `${made}.key`);
    openssl(['genpkey', ...(given.key ?? ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']), '-out', key]);
    const subject = `/CN=Maker ${made}`;
    const what = { key, ...(issuer === undefined ? {} : { issuer }) };
    const at = write(what, given, { extensions: authorityExtensions, subject });
    return {
      pem: readFileSync(`${at}.pem`, 'utf8'),
      authority: (wish = {}) => authority(at, wish),
      endorse(publicKeyPem, wish = {}) {
        const usual = { extensions: endorsementExtensions, subject: '/CN=chip' };
        const pem = readFileSync(`${write({ publicKeyPem, issuer: at }, wish, usual)}.pem`, 'utf8');
        return Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64');
      },
    };
  };
  return authority(undefined, wording);
}
