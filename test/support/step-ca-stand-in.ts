/** step-ca's `/1.0` calls as its API describes them, with one JWK provisioner: anything else fails. */
import { createHash, generateKeyPairSync, verify, X509Certificate } from 'node:crypto';
import type { TestContext } from 'node:test';
import { z } from 'zod';
import { type StandIn, type StandInReply, signRequest, startStandIn } from './issuer-stand-in.ts';

const signBody = z.strictObject({
  csr: z.string().startsWith('-----BEGIN CERTIFICATE REQUEST-----'),
  ott: z.string(),
  notAfter: z.iso.datetime().optional(),
});
const revokeBody = z.strictObject({
  serial: z.string().regex(/^\d{1,50}$/),
  ott: z.string(),
  reasonCode: z.int().min(0).max(10),
  reason: z.string(),
  passive: z.literal(true),
});

export interface StepCaStandIn extends StandIn {
  readonly provisionerKey: string;
  /** Serial numbers, decimal. */
  readonly revoked: string[];
}

export async function startStepCa(t: TestContext): Promise<StepCaStandIn> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  const used = new Set<string>();
  const revoked: string[] = [];

  /** What a provisioner's token must hold, and that it was not used before. */
  const isGood = (ott: string, path: string, subject: string): boolean => {
    const [head = '', claims = '', signature = ''] = ott.split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString());
    const given = JSON.parse(Buffer.from(claims, 'base64url').toString());
    const root = new X509Certificate(standIn.tlsPem).fingerprint256.replaceAll(':', '').toLowerCase();
    const nowSeconds = Date.now() / 1000;
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    const good =
      header.alg === 'ES256' &&
      header.kid === thumbprint &&
      given.iss === 'screens' &&
      given.aud === `${standIn.url}${path}` &&
      given.sub === subject &&
      given.sha === root &&
      given.nbf <= nowSeconds + 1 &&
      given.exp > nowSeconds &&
      given.exp - given.nbf <= 300 &&
      !used.has(given.jti) &&
      verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'));
    used.add(given.jti);
    return good;
  };
  const unauthorized: StandInReply = {
    status: 401,
    body: { status: 401, message: 'The request lacked authorization.' },
  };
  const standIn = await startStandIn(t, ({ method, url, body }) => {
    if (method === 'GET' && url.pathname === '/1.0/roots') {
      return { status: 201, body: { crts: [standIn.authority.certificatePem] } };
    }
    if (method === 'POST' && url.pathname === '/1.0/sign') {
      const { csr, ott, notAfter } = signBody.parse(body);
      if (!isGood(ott, '/1.0/sign', 'srly-a')) return unauthorized;
      const lifetimeMs = notAfter === undefined ? 86_400_000 : Date.parse(notAfter) - Date.now();
      const crt = signRequest(standIn.authority, csr, 'srly-a', lifetimeMs);
      const ca = standIn.authority.certificatePem;
      return { status: 201, body: { crt, ca, certChain: [crt, ca] } };
    }
    if (method === 'POST' && url.pathname === '/1.0/revoke') {
      const { serial, ott } = revokeBody.parse(body);
      if (!isGood(ott, '/1.0/revoke', serial)) return unauthorized;
      revoked.push(serial);
      return { status: 200, body: { status: 'ok' } };
    }
    return { status: 404, body: { status: 404, message: 'The requested resource could not be found.' } };
  });
  const provisionerKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { ...standIn, provisionerKey, revoked };
}
