import * as z from 'zod';
import { PlayerError } from '../errors.ts';
import type { Attestor } from '../tpm/attestation.ts';
import type { Call, OriginClient, Reply } from './client.ts';

const renewed = z.object({ certificate: z.string().max(16_384), chain: z.array(z.string().max(16_384)).max(8) });

const bytes = z.base64().max(2_048);
const challenged = z.object({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  challenge: z.object({ credential_blob: bytes, encrypted_secret: bytes, nonce: bytes }),
});

type Client = Pick<OriginClient, 'call'>;

/** `POST /api/v2/screens/certificate` over mutual TLS. @returns leaf first, then intermediates, PEM; not yet judged */
export async function requestRenewal(client: Client, csr: string): Promise<readonly string[]> {
  return certificates(await client.call(post('/api/v2/screens/certificate', { csr })));
}

/**
 * The same for another key than that of the connection. A server that knows the hardware asks for the proof that the
 * new key is in the same TPM: its attestation key certifies this one too.
 * @param attestor of the new key
 */
export async function requestRekey(client: Client, csr: string, attestor: Attestor | null): Promise<readonly string[]> {
  const tpm = attestor === null ? {} : { tpm: await attestor.evidence() };
  const reply = await client.call(post('/api/v2/screens/certificate', { csr, ...tpm }));
  if (reply.status !== 202) return certificates(reply);
  const asked = challenged.safeParse(reply.json());
  if (!asked.success || attestor === null)
    throw new PlayerError('SERVER_REPLY_INVALID', 'rekey: the reply is not as agreed');
  const { id, challenge } = asked.data;
  const answer = await attestor.answer(challenge, csr);
  return certificates(await client.call(post('/api/v2/screens/certificate/attestation', { id, ...answer })));
}

function post(path: string, body: object): Call {
  return { method: 'POST', path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function certificates(reply: Reply): readonly string[] {
  if (reply.status !== 200) throw new PlayerError('SERVER_ERROR', `renewal: the server answered ${reply.status}`);
  const result = renewed.safeParse(reply.json());
  if (!result.success) throw new PlayerError('SERVER_REPLY_INVALID', 'renewal: the reply is not as agreed');
  return [result.data.certificate, ...result.data.chain];
}
