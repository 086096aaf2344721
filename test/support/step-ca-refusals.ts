/**
 * Calls that step-ca refuses, and with which status. The same list is held against the real step-ca (test/step-ca) and
 * against the stand-in, so that the stand-in refuses what the real one does.
 */
import { createHash, createPrivateKey, randomBytes, randomUUID, sign } from 'node:crypto';
import { Agent, request } from 'undici';
import { createRequest } from './certificate-requests.ts';
import { createKey, keyPem } from './certificates.ts';

export interface StepCaPlace {
  readonly url: string;
  /** PEM that its TLS chains to. */
  readonly rootPem: string;
  /** Of the JWK provisioner `screens`, PEM. */
  readonly provisionerKey: string;
}

/** A one-time token, written here a second time: a mistake of the issuer's would not be found by its own code. */
function tokenOf({ url, provisionerKey }: StepCaPlace, path: string, subject: string, other: object = {}): string {
  const key = createPrivateKey(provisionerKey);
  const { crv, kty, x, y } = key.export({ format: 'jwk' });
  const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  const at = Math.floor(Date.now() / 1000);
  const usual = { iss: 'screens', aud: `${url}${path}`, sub: subject, sans: [subject], jti: randomUUID() };
  const dates = { iat: at, nbf: at, exp: at + 300 };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'ES256', kid, typ: 'JWT' })}.${part({ ...usual, ...dates, ...other })}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const name = 'srly-a';
const signPath = '/1.0/sign';
const revokePath = '/1.0/revoke';

/** @returns what was asked → the status that came, and the one that must come */
export async function stepCaRefusals(
  place: StepCaPlace,
): Promise<readonly (readonly [what: string, came: number, due: number])[]> {
  const dispatcher = new Agent({ connect: { ca: place.rootPem } });
  const post = async (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' };
    const reply = await request(`${place.url}${path}`, {
      ...{ dispatcher, method: 'POST', headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    await reply.body.dump();
    return reply.statusCode;
  };
  const csr = createRequest(name, createKey().privateKey);
  const at = Math.floor(Date.now() / 1000);
  const ott = (other: object = {}, path = signPath) => tokenOf(place, path, name, other);
  const stranger = { ...place, provisionerKey: keyPem(createKey().privateKey) };
  const used = ott();
  const serial = randomBytes(8).readBigUInt64BE().toString();
  const revoking = { serial, reasonCode: 5, reason: 'gone', passive: true };
  const revokeToken = () => tokenOf(place, revokePath, serial);
  const calls: readonly (readonly [what: string, path: string, body: unknown, due: number])[] = [
    ['a request', signPath, { csr, ott: used }, 201],
    ['a request that ends in an hour', signPath, { csr, ott: ott(), notAfter: hoursAhead(1) }, 201],
    ['no JSON', signPath, '{', 400],
    ['no request', signPath, { ott: ott() }, 400],
    ['a request that is none', signPath, { csr: 'none', ott: ott() }, 400],
    ['no token', signPath, { csr }, 400],
    ['an end that is no time', signPath, { csr, ott: ott(), notAfter: 'tomorrow' }, 400],
    ['a token that was used', signPath, { csr, ott: used }, 401],
    ['a token that is none', signPath, { csr, ott: 'a.b.c' }, 401],
    ['a token of another key', signPath, { csr, ott: tokenOf(stranger, signPath, name) }, 401],
    ['a token for another call', signPath, { csr, ott: ott({}, revokePath) }, 401],
    ['a token of another provisioner', signPath, { csr, ott: ott({ iss: 'others' }) }, 401],
    ['a token that has ended', signPath, { csr, ott: ott({ iat: at - 900, nbf: at - 900, exp: at - 600 }) }, 401],
    ['a token that is not valid yet', signPath, { csr, ott: ott({ nbf: at + 600, exp: at + 900 }) }, 401],
    ['a request of another name', signPath, { csr: createRequest('other', createKey().privateKey), ott: ott() }, 403],
    ['an end beyond what is allowed', signPath, { csr, ott: ott(), notAfter: hoursAhead(24 * 400) }, 403],
    ['a revocation without a serial number', revokePath, { ...revoking, serial: '', ott: revokeToken() }, 400],
    ['a reason that is none', revokePath, { ...revoking, reasonCode: 11, ott: revokeToken() }, 400],
    ['a revocation that is not passive', revokePath, { ...revoking, passive: false, ott: revokeToken() }, 501],
    ['a revocation without a token', revokePath, revoking, 400],
    ['a revocation with a token for signing', revokePath, { ...revoking, ott: tokenOf(place, signPath, serial) }, 401],
    ['a revocation', revokePath, { ...revoking, ott: revokeToken() }, 200],
    ['a revocation of what is revoked', revokePath, { ...revoking, ott: revokeToken() }, 400],
    ['a path that is none', '/1.0/nothing', {}, 404],
  ];
  const seen: [string, number, number][] = [];
  try {
    for (const [what, path, body, due] of calls) seen.push([what, await post(path, body), due]);
  } finally {
    await dispatcher.destroy();
  }
  return seen;
}

const hoursAhead = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
