/** The server's own development authority as an issuer. */
import { X509Certificate } from 'node:crypto';
import { acceptRequest } from '../certificate-request.ts';
import type { LocalAuthority } from '../local-authority.ts';
import type { Issuer } from './issuer.ts';

/** Revoking is the server's own list: it asks nobody else. */
export function builtInIssuer(authority: LocalAuthority, now: () => number): Issuer {
  return {
    async issue({ csrPem, hostname, lifetimeSeconds }) {
      const { publicKey } = acceptRequest(csrPem, hostname);
      const { pem } = authority.issueClient({ hostname, publicKey, nowMs: now(), lifetimeSeconds });
      const reference = new X509Certificate(pem).serialNumber.toLowerCase();
      return { certificatePem: pem, chainPem: [authority.caPem], reference };
    },
    revoke: async () => undefined,
    roots: async () => authority.roots(),
  };
}
