/**
 * Google Certificate Authority Service as an issuer: REST v1 of privateca.googleapis.com, OAuth 2.0 as a service account
 * (or whatever the application default credentials are) through Google's own library.
 */
import { randomUUID } from 'node:crypto';
import { GoogleAuth } from 'google-auth-library';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { type IssuedCertificate, type IssueRequest, type Issuer, IssuerError } from './issuer.ts';
import { isTransient, type Retries, retrying, usualRetries } from './retry.ts';

const scope = 'https://www.googleapis.com/auth/cloud-platform';
const deadlineMs = 20_000;

const certificate = z.object({
  name: z.string().max(1024),
  pemCertificate: z.string().max(65_536),
  pemCertificateChain: z.array(z.string().max(65_536)).max(10),
});
const caCerts = z.object({ caCerts: z.array(z.object({ certificates: z.array(z.string()).min(1) })) });

export interface GoogleCasOptions {
  /** `projects/P/locations/L/caPools/POOL` */
  readonly caPool: string;
  /** Service account key, JSON; the application default credentials where absent. */
  readonly credentialsFile?: string;
  /** Another address than Google's, for tests and private access points. */
  readonly endpoint?: string;
  /** PEM that the endpoint must chain to; the system's store where absent. */
  readonly endpointCaPem?: string;
  /** How Google's library reaches Google's token endpoint; its own way where absent. */
  readonly authFetch?: typeof fetch;
  readonly retries?: Retries;
}

export function googleCas(options: GoogleCasOptions): Issuer {
  const { caPool, retries = usualRetries } = options;
  const base = `${options.endpoint ?? 'https://privateca.googleapis.com'}/v1/`;
  const token = accessToken(options);
  const dispatcher = new Agent({ connect: options.endpointCaPem === undefined ? {} : { ca: options.endpointCaPem } });

  const call = async (
    method: 'GET' | 'POST',
    path: string,
    body?: object,
  ): Promise<{ status: number; json: unknown }> => {
    const authorization = `Bearer ${await token()}`;
    let reply: Awaited<ReturnType<typeof request>>;
    try {
      reply = await request(new URL(path, base), {
        dispatcher,
        method,
        headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        headersTimeout: deadlineMs,
        bodyTimeout: deadlineMs,
      });
      return { status: reply.statusCode, json: await reply.body.json() };
    } catch (cause) {
      throw new IssuerError('Google CAS does not answer', true, cause);
    }
  };
  const answered = <Schema extends z.ZodType>(
    schema: Schema,
    reply: { status: number; json: unknown },
  ): z.infer<Schema> => {
    if (reply.status !== 200) throw refused(reply);
    const read = schema.safeParse(reply.json);
    if (!read.success) throw new IssuerError('Google CAS answers otherwise than its documentation says', false);
    return read.data;
  };

  return {
    issue: ({ csrPem, lifetimeSeconds, requestId }: IssueRequest) =>
      retrying(retries, async () => {
        // Both are the same for every try: an answer that was lost is given again, not made again.
        const query = new URLSearchParams({ certificateId: `signet-${requestId}`, requestId });
        const path = `${caPool}/certificates?${query}`;
        const reply = await call('POST', path, { lifetime: `${Math.floor(lifetimeSeconds)}s`, pemCsr: csrPem });
        // Google forgets request ids after an hour; the certificate of that name is then there.
        const made = reply.status === 409 ? await call('GET', `${caPool}/certificates/signet-${requestId}`) : reply;
        return issued(answered(certificate, made));
      }),
    revoke: (reference) =>
      retrying(retries, async () => {
        const reason = 'CESSATION_OF_OPERATION';
        const reply = await call('POST', `${reference}:revoke`, { reason, requestId: randomUUID() });
        // FAILED_PRECONDITION: it is revoked or has ended already.
        if (reply.status !== 400 || statusOf(reply.json) !== 'FAILED_PRECONDITION') answered(z.object({}), reply);
      }),
    roots: () =>
      retrying(retries, async () => {
        const reply = await call('POST', `${caPool}:fetchCaCerts`, { requestId: randomUUID() });
        const chains = answered(caCerts, reply).caCerts.map(({ certificates }) => certificates.at(-1) ?? '');
        return [...new Set(chains.map((pem) => `${pem.trim()}\n`))];
      }),
  };
}

function issued({ name, pemCertificate, pemCertificateChain }: z.infer<typeof certificate>): IssuedCertificate {
  return { certificatePem: pemCertificate, chainPem: pemCertificateChain, reference: name };
}

/** `google.rpc.Status` in an error's body. */
function statusOf(json: unknown): string {
  const read = z.object({ error: z.object({ status: z.string().max(64) }) }).safeParse(json);
  return read.success ? read.data.error.status : '';
}

function refused({ status, json }: { status: number; json: unknown }): IssuerError {
  return new IssuerError(`Google CAS answers ${status} ${statusOf(json)}`.trim(), isTransient(status));
}

/** Google's library finds the credentials, signs with them, and keeps the token for as long as it is good. */
function accessToken({ credentialsFile, authFetch }: GoogleCasOptions): () => Promise<string> {
  const auth = new GoogleAuth({
    scopes: [scope],
    ...(credentialsFile === undefined ? {} : { keyFilename: credentialsFile }),
    ...(authFetch === undefined ? {} : { clientOptions: { transporterOptions: { fetchImplementation: authFetch } } }),
  });
  return async () => {
    try {
      const token = await auth.getAccessToken();
      if (typeof token === 'string' && token !== '') return token;
    } catch (cause) {
      const status = (cause as { status?: number }).status;
      throw new IssuerError('Google gives no access token', status === undefined || isTransient(status), cause);
    }
    throw new IssuerError('Google gives no access token', false);
  };
}
