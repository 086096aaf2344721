import * as z from 'zod';
import { PlayerError } from '../errors.ts';
import type { IssuedCertificate, Pending } from './machine.ts';

/** What registration needs of HTTP: server-authenticated TLS to the API origin, no client certificate. */
export interface RegistrationTransport {
  /** Resolves with any status; rejects with a PlayerError when there is no usable reply. */
  call(request: {
    readonly method: 'GET' | 'POST';
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  }): Promise<{ readonly status: number; readonly json: () => unknown }>;
}

export interface Hardware {
  readonly manufacturer: string;
  readonly model: string;
  readonly serial: string;
  readonly arch: string;
}

export type Accepted = Omit<Pending, 'state'>;

export type PollReply =
  | { readonly status: 'pending' }
  | { readonly status: 'issued'; readonly issued: IssuedCertificate }
  | { readonly status: 'denied' }
  | { readonly status: 'expired' };

const pem = z
  .string()
  .max(16_384)
  .regex(
    /^\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/,
    'must be one PEM certificate',
  );

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

const accepted = z.object({
  id,
  pin: z.string().regex(/^[A-HJ-NP-Z2-9]{6}$/),
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  expires_at: z.iso.datetime({ offset: true }),
  poll_interval: z.number().min(0.1).max(300),
  poll_token: z.string().regex(/^[\x21-\x7e]{16,512}$/),
});

const polled = z.discriminatedUnion('status', [
  z.object({ status: z.literal('pending') }),
  z.object({ status: z.literal('denied') }),
  z.object({
    status: z.literal('issued'),
    certificate: pem,
    chain: z.array(pem).max(8),
    screen: z.object({ id, name: z.string().max(200) }),
  }),
]);

/**
 * POST the certificate request.
 * @param fingerprint of our own key, lower-case hex: a reply that names another key is refused
 * @throws PlayerError SERVER_ERROR, SERVER_REPLY_INVALID, REGISTRATION_REFUSED, connection codes
 */
export async function register(
  transport: RegistrationTransport,
  request: { csr: string; hostname: string; hardware: Hardware; playerVersion: string; fingerprint: string },
): Promise<Accepted> {
  const { csr, hostname, hardware, playerVersion, fingerprint } = request;
  const reply = await transport.call({
    method: 'POST',
    path: '/api/v2/screens/registrations',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ csr, hostname, hardware, software: { player: playerVersion } }),
  });
  if (reply.status !== 201) throw refused('registration', reply.status);
  const body = parse(accepted, reply.json());
  if (body.fingerprint !== fingerprint)
    throw new PlayerError('SERVER_REPLY_INVALID', 'the registration reply names another key than ours');
  return {
    id: body.id,
    pin: body.pin,
    ticket: body.poll_token,
    expiresAtMs: Date.parse(body.expires_at),
    pollIntervalMs: body.poll_interval * 1_000,
  };
}

/** Ask how the registration stands. @throws PlayerError as `register` */
export async function poll(
  transport: RegistrationTransport,
  registrationId: string,
  ticket: string,
): Promise<PollReply> {
  const reply = await transport.call({
    method: 'GET',
    path: `/api/v2/screens/registrations/${encodeURIComponent(registrationId)}`,
    headers: { authorization: `Bearer ${ticket}` },
  });
  // A server that has forgotten the registration (404) leaves us no other way than to ask anew.
  if (reply.status === 410 || reply.status === 404) return { status: 'expired' };
  if (reply.status !== 200) throw refused('registration poll', reply.status);
  const body = parse(polled, reply.json());
  if (body.status !== 'issued') return body;
  const { certificate, chain, screen } = body;
  return { status: 'issued', issued: { certificate, chain, screenId: screen.id, screenName: screen.name } };
}

function refused(what: string, status: number): PlayerError {
  if (status >= 500 || status === 429 || status === 408)
    return new PlayerError('SERVER_ERROR', `${what}: the server answered ${status}`);
  return new PlayerError(
    'REGISTRATION_REFUSED',
    `${what}: the server answered ${status}: check server.origin and its version`,
  );
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new PlayerError(
    'SERVER_REPLY_INVALID',
    `registration reply: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  );
}
