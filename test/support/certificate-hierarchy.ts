import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Authority, openAuthority } from './certificates.ts';
import { openssl } from './openssl.ts';

/**
 * A root that has issued one intermediate authority, made by openssl.
 * @param digest that the root signs it with
 */
export function createHierarchy(digest: 'sha256' | 'sha1' = 'sha256'): {
  readonly rootPem: string;
  readonly intermediate: Authority;
} {
  const folder = mkdtempSync(join(tmpdir(), 'signet-hierarchy-'));
  const at = (name: string) => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  try {
    // openssl's key identifiers are made in another way than the intermediate's own leaves name it.
    const identifier = 'subjectKeyIdentifier=none\n';
    const extensions = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n';
    writeFileSync(at('ca.ext'), extensions + identifier);
    openssl(['req', '-x509', ...newKey, '-keyout', at('root.key'), '-out', at('root.pem'), '-subj', '/CN=Test root']);
    openssl(['req', '-new', ...newKey, '-keyout', at('sub.key'), '-out', at('sub.csr'), '-subj', '/CN=Test issuing']);
    const signer = ['-CA', at('root.pem'), '-CAkey', at('root.key'), '-CAcreateserial', '-extfile', at('ca.ext')];
    openssl(['x509', '-req', '-in', at('sub.csr'), ...signer, `-${digest}`, '-days', '30', '-out', at('sub.pem')]);
    const key = createPrivateKey(readFileSync(at('sub.key')));
    return {
      rootPem: readFileSync(at('root.pem'), 'utf8'),
      intermediate: openAuthority('Test issuing', readFileSync(at('sub.pem'), 'utf8'), key),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
