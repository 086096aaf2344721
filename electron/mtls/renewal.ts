import * as z from 'zod';
import { PlayerError } from '../errors.ts';
import type { OriginClient } from './client.ts';

const renewed = z.object({ certificate: z.string().max(16_384), chain: z.array(z.string().max(16_384)).max(8) });

/** `POST /api/v2/screens/certificate` over mutual TLS. @returns leaf first, then intermediates, PEM; not yet judged */
export async function requestRenewal(client: OriginClient, csr: string): Promise<readonly string[]> {
  const reply = await client.call({
    method: 'POST',
    path: '/api/v2/screens/certificate',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ csr }),
  });
  if (reply.status !== 200) throw new PlayerError('SERVER_ERROR', `renewal: the server answered ${reply.status}`);
  const result = renewed.safeParse(reply.json());
  if (!result.success) throw new PlayerError('SERVER_REPLY_INVALID', 'renewal: the reply is not as agreed');
  return [result.data.certificate, ...result.data.chain];
}
