/** Google's Certificate Authority Service and token endpoint, as their REST references describe them: anything else fails. */
import { generateKeyPairSync, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Agent, fetch as undiciFetch } from 'undici';
import { z } from 'zod';
import { temporaryFolder } from './backend-fixture.ts';
import { type StandIn, type StandInReply, signRequest, startStandIn } from './issuer-stand-in.ts';

export const caPool = 'projects/signage-1/locations/europe-west1/caPools/screens';
const email = 'screens@signage-1.iam.gserviceaccount.com';
const scope = 'https://www.googleapis.com/auth/cloud-platform';

const uuid = z.uuid();
/** projects.locations.caPools.certificates: what a client may set of a Certificate, and what we do. */
const certificateBody = z.strictObject({
  lifetime: z.string().regex(/^\d+(\.\d{1,9})?s$/),
  pemCsr: z.string().startsWith('-----BEGIN CERTIFICATE REQUEST-----'),
});
const createQuery = z.strictObject({ certificateId: z.string().regex(/^[a-zA-Z0-9_-]{1,63}$/), requestId: uuid });
const revokeBody = z.strictObject({
  reason: z.enum(['KEY_COMPROMISE', 'CESSATION_OF_OPERATION', 'SUPERSEDED', 'PRIVILEGE_WITHDRAWN']),
  requestId: uuid,
});
const fetchCaCertsBody = z.strictObject({ requestId: uuid });

export interface GoogleCasStandIn extends StandIn {
  readonly credentialsFile: string;
  /** Names of revoked certificates. */
  readonly revoked: string[];
  /** Forget which request made which certificate, as Google does in time. */
  forgetRequests(): void;
  /** How many certificates were made. */
  made(): number;
  /** Takes the calls to Google's token endpoint, and to no other address, here. */
  readonly authFetch: typeof fetch;
  readonly tokens: string[];
}

const denied = (status: number, reason: string): StandInReply => ({
  status,
  body: { error: { code: status, status: reason } },
});

export async function startGoogleCas(t: TestContext): Promise<GoogleCasStandIn> {
  const account = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const revoked: string[] = [];
  const tokens: string[] = [];
  const byRequest = new Map<string, object>();
  const byName = new Map<string, object>();

  const create = (query: URLSearchParams, body: unknown): StandInReply => {
    const { certificateId, requestId } = createQuery.parse(Object.fromEntries(query));
    const { lifetime, pemCsr } = certificateBody.parse(body);
    const before = byRequest.get(requestId);
    if (before !== undefined) return { status: 200, body: before };
    const name = `${caPool}/certificates/${certificateId}`;
    if (byName.has(name)) return denied(409, 'ALREADY_EXISTS');
    const pemCertificate = signRequest(standIn.authority, pemCsr, 'srly-a', Number.parseFloat(lifetime) * 1000);
    const made = { name, lifetime, pemCsr, pemCertificate, pemCertificateChain: [standIn.authority.certificatePem] };
    byRequest.set(requestId, made);
    byName.set(name, made);
    return { status: 200, body: made };
  };
  const standIn = await startStandIn(t, ({ method, url, body, headers }) => {
    if (url.pathname === '/token') return token(body as string);
    if (!tokens.includes(/^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? ''))
      return denied(401, 'UNAUTHENTICATED');
    const path = url.pathname.replace('/v1/', '');
    if (method === 'POST' && path === `${caPool}/certificates`) return create(url.searchParams, body);
    if (method === 'GET' && byName.has(path)) return { status: 200, body: byName.get(path) };
    if (method === 'POST' && path === `${caPool}:fetchCaCerts`) {
      fetchCaCertsBody.parse(body);
      return { status: 200, body: { caCerts: [{ certificates: [standIn.authority.certificatePem] }] } };
    }
    const name = path.replace(/:revoke$/, '');
    if (method === 'POST' && path.endsWith(':revoke') && byName.has(name)) {
      revokeBody.parse(body);
      if (revoked.includes(name)) return denied(400, 'FAILED_PRECONDITION');
      revoked.push(name);
      return { status: 200, body: byName.get(name) };
    }
    return denied(404, 'NOT_FOUND');
  });

  /** RFC 7523: a JWT of the service account for an access token. */
  const token = (form: string): StandInReply => {
    const fields = new URLSearchParams(form);
    const [head = '', claims = '', signature = ''] = (fields.get('assertion') ?? '').split('.');
    const given = JSON.parse(Buffer.from(claims, 'base64url').toString());
    const good =
      fields.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer' &&
      given.iss === email &&
      given.scope === scope &&
      given.aud === 'https://oauth2.googleapis.com/token' &&
      given.exp - given.iat <= 3600 &&
      verify('sha256', Buffer.from(`${head}.${claims}`), account.publicKey, Buffer.from(signature, 'base64url'));
    if (!good) return { status: 400, body: { error: 'invalid_grant', error_description: 'no' } };
    tokens.push(`token-${tokens.length}`);
    return { status: 200, body: { access_token: tokens.at(-1), expires_in: 3599, token_type: 'Bearer' } };
  };
  const credentialsFile = join(temporaryFolder(t), 'service-account.json');
  const privateKey = account.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const identity = { client_email: email, private_key: privateKey, private_key_id: 'k1', project_id: 'signage-1' };
  writeFileSync(credentialsFile, JSON.stringify({ type: 'service_account', ...identity }), { mode: 0o600 });
  const dispatcher = new Agent({ connect: { ca: standIn.tlsPem } });
  t.after(() => dispatcher.destroy());
  const authFetch = (async (input: string | URL, init: { method: string; headers: Headers; body: URLSearchParams }) => {
    if (String(input) !== 'https://oauth2.googleapis.com/token')
      throw new Error(`not Google's token endpoint: ${input}`);
    const body = String(init.body);
    return undiciFetch(`${standIn.url}/token`, {
      method: 'POST',
      headers: Object.fromEntries(init.headers),
      body,
      dispatcher,
    });
  }) as unknown as typeof fetch;
  return {
    ...standIn,
    credentialsFile,
    revoked,
    tokens,
    made: () => byName.size,
    forgetRequests: () => byRequest.clear(),
    authFetch,
  };
}
