/**
 * Google's Certificate Authority Service and token endpoint. Every call and every answer is judged by Google's own
 * description of the interface (google-cas-interface.ts), not by what we think of it: anything else is answered with 400.
 */
import { generateKeyPairSync, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Agent, fetch as undiciFetch } from 'undici';
import { temporaryFolder } from './backend-fixture.ts';
import { checkReply, type PublishedCall, published, readCall, UnpublishedCall } from './google-cas-interface.ts';
import { type StandIn, type StandInReply, signRequest, startStandIn } from './issuer-stand-in.ts';

export const caPool = 'projects/signage-1/locations/europe-west1/caPools/screens';
const email = 'screens@signage-1.iam.gserviceaccount.com';

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
  /** Calls and answers that Google's description has no place for: why. */
  readonly unpublished: string[];
}

/** `google.rpc.Status`, as errors are written in JSON. */
const denied = (status: number, reason: string, message = reason): StandInReply => ({
  status,
  body: { error: { code: status, message, status: reason } },
});

export async function startGoogleCas(t: TestContext): Promise<GoogleCasStandIn> {
  const account = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const revoked: string[] = [];
  const tokens: string[] = [];
  const unpublished: string[] = [];
  const byRequest = new Map<string, object>();
  const byName = new Map<string, object>();

  const create = ({ path, query, body }: PublishedCall): StandInReply => {
    const { certificateId = '', requestId = '' } = query;
    const { lifetime, pemCsr } = body as { lifetime: string; pemCsr: string };
    const before = byRequest.get(requestId);
    if (before !== undefined) return { status: 200, body: before };
    // Required of Enterprise tiers, whose certificates can be revoked; ours are.
    if (certificateId === '') return denied(400, 'INVALID_ARGUMENT');
    const name = `${path['parent']}/certificates/${certificateId}`;
    if (byName.has(name)) return denied(409, 'ALREADY_EXISTS');
    const pemCertificate = signRequest(standIn.authority, pemCsr, 'srly-a', Number.parseFloat(lifetime) * 1000);
    const made = { name, lifetime, pemCsr, pemCertificate, pemCertificateChain: [standIn.authority.certificatePem] };
    if (requestId !== '') byRequest.set(requestId, made);
    byName.set(name, made);
    return { status: 200, body: made };
  };
  const revoke = (name: string, reason: unknown): StandInReply => {
    const certificate = byName.get(name);
    if (certificate === undefined) return denied(404, 'NOT_FOUND');
    if (revoked.includes(name)) return denied(400, 'FAILED_PRECONDITION');
    revoked.push(name);
    const revocationDetails = { revocationState: reason, revocationTime: new Date().toISOString() };
    return { status: 200, body: { ...certificate, revocationDetails } };
  };
  const serve = (call: PublishedCall): StandInReply => {
    switch (call.rpc) {
      case 'CreateCertificate':
        return create(call);
      case 'RevokeCertificate':
        return revoke(call.path['name'] ?? '', call.body['reason']);
      case 'FetchCaCerts':
        return { status: 200, body: { caCerts: [{ certificates: [standIn.authority.certificatePem] }] } };
      default: {
        const certificate = byName.get(call.path['name'] ?? '');
        return certificate === undefined ? denied(404, 'NOT_FOUND') : { status: 200, body: certificate };
      }
    }
  };
  const standIn = await startStandIn(t, ({ method, url, body, headers }) => {
    if (url.pathname === '/token') return token(body as string);
    if (!tokens.includes(/^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? ''))
      return denied(401, 'UNAUTHENTICATED');
    try {
      const call = readCall(method, url, body);
      const reply = serve(call);
      if (reply.status === 200) checkReply(call.rpc, reply.body);
      return reply;
    } catch (error) {
      if (!(error instanceof UnpublishedCall)) throw error;
      unpublished.push(error.message);
      return denied(400, 'INVALID_ARGUMENT', error.message);
    }
  });

  /** RFC 7523: a JWT of the service account for an access token. */
  const token = (form: string): StandInReply => {
    const fields = new URLSearchParams(form);
    const [head = '', claims = '', signature = ''] = (fields.get('assertion') ?? '').split('.');
    const given = JSON.parse(Buffer.from(claims, 'base64url').toString());
    const good =
      fields.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer' &&
      given.iss === email &&
      given.scope === published.scope &&
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
    unpublished,
    made: () => byName.size,
    forgetRequests: () => byRequest.clear(),
    authFetch,
  };
}
