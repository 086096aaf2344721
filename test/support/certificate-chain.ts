import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openssl } from './openssl.ts';
import type { ServerIdentity } from './tls-identities.ts';

export type KeyKind = 'P-256' | 'P-384' | 'RSA' | 'Ed25519';

const newKey: Readonly<Record<KeyKind, readonly string[]>> = {
  'P-256': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  RSA: ['-newkey', 'rsa:2048'],
  Ed25519: ['-newkey', 'ed25519'],
};
const issuing = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n';
const serving =
  'keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n';

const showing = 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n';

/**
 * A certificate for somebody else's public key, issued by openssl.
 * @param kind of the authority's key
 * @param publicKeyPem SubjectPublicKeyInfo
 */
export function issueClientCertificate(
  kind: KeyKind,
  publicKeyPem: string,
): { readonly authorityPem: string; readonly certificatePem: string } {
  const folder = mkdtempSync(join(tmpdir(), 'chain-'));
  const at = (name: string) => join(folder, name);
  try {
    const key = (name: string) => [...newKey[kind], '-nodes', '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`)];
    openssl(['req', '-x509', ...key('authority'), '-days', '30', '-out', at('authority.pem')]);
    writeFileSync(at('extensions'), showing);
    writeFileSync(at('public.pem'), publicKeyPem);
    const issuer = ['-CA', at('authority.pem'), '-CAkey', at('authority.key'), '-CAcreateserial'];
    const subject = ['-force_pubkey', at('public.pem'), '-days', '30', '-extfile', at('extensions')];
    const request = openssl(['req', '-new', ...key('screen')]);
    const certificatePem = openssl(['x509', '-req', ...issuer, ...subject], { input: request });
    return { authorityPem: readFileSync(at('authority.pem'), 'utf8'), certificatePem };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A server for `localhost`, issued by openssl through a number of intermediate authorities.
 * @param kind of all keys, the root's included
 * @returns the root, and the leaf with the intermediates behind it
 */
export function issueServerChain(
  kind: KeyKind,
  intermediates: number,
): { readonly rootPem: string; readonly identity: ServerIdentity } {
  const folder = mkdtempSync(join(tmpdir(), 'chain-'));
  const at = (name: string) => join(folder, name);
  const read = (name: string) => readFileSync(at(name), 'utf8');
  const key = (name: string) => [...newKey[kind], '-nodes', '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`)];
  try {
    openssl(['req', '-x509', ...key('0'), '-days', '30', '-out', at('0.pem')]);
    const last = intermediates + 1;
    for (let level = 1; level <= last; level++) {
      writeFileSync(at('extensions'), level === last ? serving : issuing);
      const issuer = ['-CA', at(`${level - 1}.pem`), '-CAkey', at(`${level - 1}.key`), '-CAcreateserial'];
      const request = openssl(['req', '-new', ...key(String(level))]);
      const out = ['-days', '30', '-extfile', at('extensions'), '-out', at(`${level}.pem`)];
      openssl(['x509', '-req', ...issuer, ...out], { input: request });
    }
    const levels = Array.from({ length: last }, (_, index) => last - index);
    const certificatePem = levels.map((level) => read(`${level}.pem`)).join('');
    return { rootPem: read('0.pem'), identity: { certificatePem, keyPem: read(`${last}.key`) } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
