import * as z from 'zod';
import { PlayerError } from '../errors.ts';
import type { OriginClient } from './client.ts';

const announced = z.object({ roots: z.array(z.string().max(16_384)).max(8) });

/**
 * `GET /api/v2/screens/roots` over mutual TLS: the authorities that the server uses or will use.
 * @returns `null` where the server does not know the call
 */
export async function fetchRoots(client: Pick<OriginClient, 'call'>): Promise<readonly string[] | null> {
  const reply = await client.call({ method: 'GET', path: '/api/v2/screens/roots' });
  if (reply.status === 404) return null;
  if (reply.status !== 200) throw new PlayerError('SERVER_ERROR', `roots: the server answered ${reply.status}`);
  const result = announced.safeParse(reply.json());
  if (!result.success) throw new PlayerError('SERVER_REPLY_INVALID', 'roots: the reply is not as agreed');
  return result.data.roots;
}
