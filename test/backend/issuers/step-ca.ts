/** step-ca as an issuer: `POST /1.0/sign` with a one-time token of a JWK provisioner. */
import {
  createHash,
  createPrivateKey,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
  sign,
  X509Certificate,
} from 'node:crypto';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { type IssueRequest, type Issuer, IssuerError } from './issuer.ts';
import { isTransient, type Retries, retrying, usualRetries } from './retry.ts';

const tokenSeconds = 300;
const deadlineMs = 20_000;

const signed = z.object({
  crt: z.string().max(65_536),
  ca: z.string().max(65_536),
  certChain: z.array(z.string().max(65_536)).max(10).optional(),
});
const refusal = z.object({ message: z.string() });
const roots = z.object({ crts: z.array(z.string().max(65_536)).max(10) });

/** Its own words go to the operator: they name the rule of the provisioner that refused. */
class StepCaRefusal extends IssuerError {
  readonly isRevokedAlready: boolean;

  constructor(status: number, json: unknown) {
    const said = refusal.safeParse(json);
    const words = said.success ? said.data.message.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 300) : '';
    super(`step-ca answers ${status}${words === '' ? '' : `: ${words}`}`, isTransient(status));
    this.isRevokedAlready = status === 400 && /is already revoked/.test(words);
  }
}

export interface StepCaOptions {
  /** `https://ca.example:9000` */
  readonly url: string;
  /** PEM of the root that the CA itself chains to. */
  readonly rootPem: string;
  /** Name of the JWK provisioner. */
  readonly provisioner: string;
  /** The provisioner's key, PEM (PKCS#8) or JWK, decrypted: P-256. */
  readonly provisionerKey: string;
  readonly now?: () => number;
  readonly retries?: Retries;
}

export function stepCa(options: StepCaOptions): Issuer {
  const { url, rootPem, provisioner, now = Date.now, retries = usualRetries } = options;
  const key = readKey(options.provisionerKey);
  const dispatcher = new Agent({ connect: { ca: rootPem } });
  const fingerprint = new X509Certificate(rootPem).fingerprint256.replaceAll(':', '').toLowerCase();

  const call = async <Schema extends z.ZodType>(
    schema: Schema,
    method: 'GET' | 'POST',
    path: string,
    body?: object,
  ): Promise<z.infer<Schema>> => {
    let status: number;
    let json: unknown;
    try {
      const reply = await request(new URL(path, url), {
        dispatcher,
        method,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        headersTimeout: deadlineMs,
        bodyTimeout: deadlineMs,
      });
      status = reply.statusCode;
      json = await reply.body.json();
    } catch (cause) {
      throw new IssuerError('step-ca does not answer', true, cause);
    }
    if (status !== 200 && status !== 201) throw new StepCaRefusal(status, json);
    const read = schema.safeParse(json);
    if (!read.success) throw new IssuerError('step-ca answers otherwise than its documentation says', false);
    return read.data;
  };
  /** Good once, for one path and one subject. */
  const oneTimeToken = (path: string, subject: string, names?: readonly string[]) => {
    const at = Math.floor(now() / 1000);
    const claims = {
      iss: provisioner,
      aud: new URL(path, url).href,
      sub: subject,
      jti: randomUUID(),
      sha: fingerprint,
    };
    const dates = { iat: at, nbf: at, exp: at + tokenSeconds };
    return jwt(key, { ...claims, ...dates, ...(names === undefined ? {} : { sans: names }) });
  };

  return {
    issue: ({ csrPem, hostname, lifetimeSeconds }: IssueRequest) =>
      retrying(retries, async () => {
        // A token is good once: each try has its own. An answer that was lost leaves a certificate that nobody uses.
        const ott = oneTimeToken('/1.0/sign', hostname, [hostname]);
        const notAfter = new Date(now() + lifetimeSeconds * 1000).toISOString();
        const reply = await call(signed, 'POST', '/1.0/sign', { csr: csrPem, ott, notAfter });
        const [, ...chain] = reply.certChain ?? [reply.crt, reply.ca];
        const reference = BigInt(`0x${new X509Certificate(reply.crt).serialNumber}`).toString();
        return { certificatePem: reply.crt, chainPem: chain, reference };
      }),
    revoke: (reference) =>
      retrying(retries, async () => {
        const ott = oneTimeToken('/1.0/revoke', reference);
        const body = { serial: reference, ott, reasonCode: 5, reason: 'cessation of operation', passive: true };
        try {
          await call(z.object({ status: z.literal('ok') }), 'POST', '/1.0/revoke', body);
        } catch (error) {
          // An answer that was lost: what was wanted has been done.
          if (!(error instanceof StepCaRefusal && error.isRevokedAlready)) throw error;
        }
      }),
    roots: () =>
      retrying(retries, async () => (await call(roots, 'GET', '/1.0/roots')).crts.map((pem) => `${pem.trim()}\n`)),
  };
}

function readKey(text: string): KeyObject {
  const key = text.trimStart().startsWith('{')
    ? createPrivateKey({ key: JSON.parse(text) as JsonWebKey, format: 'jwk' })
    : createPrivateKey(text);
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  throw new Error('the provisioner’s key is not a P-256 key');
}

/** ES256 (RFC 7518 §3.4); `kid` is the key's thumbprint (RFC 7638), as step-ca names its provisioners' keys. */
function jwt(key: KeyObject, claims: object): string {
  const { crv, kty, x, y } = key.export({ format: 'jwk' });
  const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'ES256', kid, typ: 'JWT' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}
