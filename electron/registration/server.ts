import * as z from 'zod';
import { PlayerError } from '../errors.ts';
import type { Answer, Challenge, Evidence } from '../tpm/attestation.ts';
import type { HardwareVerdict, IssuedCertificate, Pending } from './machine.ts';

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

/** A registration that the server has opened; with a challenge it is good for nothing before the answer. */
export interface Opened {
  readonly accepted: Accepted;
  readonly challenge: Challenge | null;
}

export type PollReply =
  /** `granted`: nobody needs to decide any more, the certificate is being issued. */
  | { readonly status: 'pending'; readonly granted?: boolean | undefined }
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

const bytes = z.base64().max(2_048);

const hardware = z
  .discriminatedUnion('verified', [
    z.object({ verified: z.literal(true), manufacturer: chipWord(), model: chipWord() }),
    z.object({ verified: z.literal(false), code: z.string().regex(/^[a-z-]{1,64}$/) }),
  ])
  .nullish();

/** What a maker has written into a chip's certificate. */
function chipWord() {
  return z.string().regex(/^[\x20-\x7e]{0,64}$/);
}

const attested = z.object({ hardware_identity: hardware });

const accepted = z.object({
  id,
  pin: z.string().regex(/^[A-HJ-NP-Z2-9]{6}$/),
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  expires_at: z.iso.datetime({ offset: true }),
  poll_interval: z.number().min(0.1).max(300),
  poll_token: z.string().regex(/^[\x21-\x7e]{16,512}$/),
  challenge: z.object({ credential_blob: bytes, encrypted_secret: bytes, nonce: bytes }).nullish(),
  hardware_identity: hardware,
});

const polled = z.discriminatedUnion('status', [
  z.object({ status: z.literal('pending'), granted: z.boolean().optional() }),
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
  request: {
    readonly csr: string;
    readonly hostname: string;
    readonly hardware: Hardware;
    readonly playerVersion: string;
    readonly fingerprint: string;
    /** Where the key is, for servers that ask; `null` where there is nothing to show. */
    readonly evidence: Evidence | null;
  },
): Promise<Opened> {
  const { csr, hostname, hardware, playerVersion, fingerprint, evidence } = request;
  const reply = await transport.call({
    method: 'POST',
    path: '/api/v2/screens/registrations',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ csr, hostname, hardware, software: { player: playerVersion } },
      ...(evidence === null ? {} : { tpm: evidence }),
    }),
  });
  if (reply.status === 422) throw notAttested(reply) ?? refused('registration', reply.status);
  if (reply.status !== 201) throw refused('registration', reply.status);
  const body = parse(accepted, reply.json());
  if (body.fingerprint !== fingerprint)
    throw new PlayerError('SERVER_REPLY_INVALID', 'the registration reply names another key than ours');
  const { challenge } = body;
  return {
    accepted: {
      id: body.id,
      pin: body.pin,
      ticket: body.poll_token,
      expiresAtMs: Date.parse(body.expires_at),
      pollIntervalMs: body.poll_interval * 1_000,
      hardware: body.hardware_identity ?? null,
    },
    challenge: challenge ?? null,
  };
}

/**
 * Answer the challenge of an opened registration.
 * @returns what the server makes of the hardware
 * @throws PlayerError ATTESTATION_REFUSED where the server takes this for no proof and the registration is over
 */
export async function attest(
  transport: RegistrationTransport,
  { id, ticket }: Pick<Accepted, 'id' | 'ticket'>,
  answer: Answer,
): Promise<HardwareVerdict | null> {
  const reply = await transport.call({
    method: 'POST',
    path: `/api/v2/screens/registrations/${encodeURIComponent(id)}/attestation`,
    headers: { authorization: `Bearer ${ticket}`, 'content-type': 'application/json' },
    body: JSON.stringify(answer),
  });
  if (reply.status === 204) return null;
  if (reply.status === 422) throw notAttested(reply) ?? refused('attestation', reply.status);
  if (reply.status !== 200) throw refused('attestation', reply.status);
  return parse(attested, reply.json()).hardware_identity ?? null;
}

const refusal = z.object({ error: z.object({ code: z.string().regex(/^[a-z-]{1,64}$/) }) });
/** The checks of an attestation, by how their codes begin; a refusal for any other reason begins otherwise. */
const ofAttestation = /^(attest|attestation|challenge|endorsement|key|request|secret|signature|structure)-/;

/** The error behind a 422, where it is about the hardware. */
function notAttested(reply: { readonly json: () => unknown }): PlayerError | null {
  const code = refusal.safeParse(reply.json()).data?.error.code ?? '';
  if (code === 'attestation-required')
    return new PlayerError('ATTESTATION_REQUIRED', 'the server demands a proof of the hardware, and there is none');
  // Too late, or the server has restarted in between: the next try is as good as the first.
  if (code === 'challenge-expired' || code === 'challenge-unknown')
    return new PlayerError('SERVER_ERROR', `attestation: ${code}`);
  if (!ofAttestation.test(code)) return null;
  return new PlayerError('ATTESTATION_REFUSED', `the server refuses the hardware identity: ${code}`);
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
