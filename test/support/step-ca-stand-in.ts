/**
 * step-ca with one JWK provisioner, as far as an issuer calls it: bodies by the published types (smallstep/certificates,
 * api/sign.go and api/revoke.go), answers and refusals as the real one gives them, which `npm run test:step-ca` checks.
 */
import { createHash, generateKeyPairSync, verify, X509Certificate } from 'node:crypto';
import type { TestContext } from 'node:test';
import { z } from 'zod';
import { acceptRequest } from '../backend/certificate-request.ts';
import { type StandIn, type StandInReply, signRequest, startStandIn } from './issuer-stand-in.ts';

/** TimeDuration: a time, or Go's duration. */
const time = z.union([z.iso.datetime({ offset: true }), z.string().regex(/^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/)]);
/** The real one leaves fields that it does not know aside; here they are refused, for a word that is misspelt does nothing. */
const signBody = z.strictObject({
  csr: z.string().startsWith('-----BEGIN CERTIFICATE REQUEST-----'),
  ott: z.string().min(1),
  notAfter: time.optional(),
  notBefore: time.optional(),
  templateData: z.record(z.string(), z.unknown()).optional(),
});
const revokeBody = z.strictObject({
  serial: z.string().min(1),
  ott: z.string().min(1),
  reasonCode: z.int().min(0).max(10),
  reason: z.string(),
  passive: z.boolean(),
});
/** What a JWK provisioner is made with where nobody says otherwise is 24 hours; ours are allowed 31 days. */
const longestMs = 31 * 86_400_000;
/** What go-jose lets clocks differ by. */
const leewaySeconds = 60;

export interface StepCaStandIn extends StandIn {
  readonly provisionerKey: string;
  /** Serial numbers, decimal. */
  readonly revoked: string[];
}

const refused = (status: number, message: string): StandInReply => ({ status, body: { status, message } });
const badRequest = (why: string) => refused(400, `The request could not be completed: ${why}.`);

export async function startStepCa(t: TestContext): Promise<StepCaStandIn> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  const used = new Set<string>();
  const revoked: string[] = [];

  /** The subject of a token that is good for this path; `null` where it is not, or was used. */
  const subjectOf = (ott: string, path: string): string | null => {
    try {
      const [head = '', claims = '', signature = ''] = ott.split('.');
      const header = JSON.parse(Buffer.from(head, 'base64url').toString());
      const given = JSON.parse(Buffer.from(claims, 'base64url').toString());
      const nowSeconds = Date.now() / 1000;
      const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
      const good =
        header.alg === 'ES256' &&
        header.kid === thumbprint &&
        given.iss === 'screens' &&
        given.aud === `${standIn.url}${path}` &&
        given.nbf <= nowSeconds + leewaySeconds &&
        given.exp > nowSeconds - leewaySeconds &&
        // Clients learn the root from it; the real one takes any.
        (given.sha === undefined || given.sha === rootFingerprint()) &&
        !used.has(given.jti) &&
        verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'));
      used.add(given.jti);
      return good ? String(given.sub) : null;
    } catch {
      return null;
    }
  };
  const rootFingerprint = () => new X509Certificate(standIn.tlsPem).fingerprint256.replaceAll(':', '').toLowerCase();
  const unauthorized = refused(401, 'The request lacked necessary authorization to be completed.');

  const signs = (body: unknown): StandInReply => {
    const read = signBody.safeParse(body);
    if (!read.success) return badRequest(read.error.issues[0]?.message ?? '');
    const { csr, ott, notAfter } = read.data;
    const subject = subjectOf(ott, '/1.0/sign');
    if (subject === null) return unauthorized;
    const lifetimeMs = notAfter === undefined ? 86_400_000 : Date.parse(notAfter) - Date.now();
    if (lifetimeMs > longestMs) return refused(403, 'The request was forbidden: more than the authorized maximum.');
    try {
      acceptRequest(csr, subject);
    } catch {
      return refused(403, 'The request was forbidden: does not contain the valid common name.');
    }
    const crt = signRequest(standIn.authority, csr, subject, lifetimeMs);
    const ca = standIn.authority.certificatePem;
    return { status: 201, body: { crt, ca, certChain: [crt, ca] } };
  };
  const revokes = (body: unknown): StandInReply => {
    const read = revokeBody.safeParse(body);
    if (!read.success) return badRequest(read.error.issues[0]?.message ?? '');
    const { serial, ott, passive } = read.data;
    if (!passive) return refused(501, 'The requested method is not implemented.');
    if (subjectOf(ott, '/1.0/revoke') === null) return unauthorized;
    if (revoked.includes(serial)) return badRequest(`certificate with serial number '${serial}' is already revoked`);
    revoked.push(serial);
    return { status: 200, body: { status: 'ok' } };
  };
  const standIn = await startStandIn(t, ({ method, url, body }) => {
    const call = `${method} ${url.pathname}`;
    if (call === 'GET /1.0/roots') return { status: 201, body: { crts: [standIn.authority.certificatePem] } };
    if (call === 'POST /1.0/sign') return signs(body);
    if (call === 'POST /1.0/revoke') return revokes(body);
    return refused(404, 'page not found');
  });
  const provisionerKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { ...standIn, provisionerKey, revoked };
}
