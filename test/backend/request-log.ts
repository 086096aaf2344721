/** What was asked and how it was answered, for assertions. */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';

export interface LoggedRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  /** `null` until the head of the reply is sent, and for ever when the connection closed before. */
  readonly status: number | null;
  /** Whether the connection had a client certificate of our authority. */
  readonly authorized: boolean;
  /** `Range` header, where there was one. */
  readonly range: string | undefined;
}

/** Requests remembered; older ones are dropped. */
const maximumLogged = 10_000;

/** Log every request of a server, oldest first. The array grows while it is held. */
export function logRequests(
  server: FastifyInstance,
  isAuthorized: (request: FastifyRequest) => boolean,
): readonly LoggedRequest[] {
  const log: LoggedRequest[] = [];
  server.addHook('onRequest', async (request, reply) => {
    const status = followStatus(reply.raw);
    log.push({
      method: request.method,
      path: request.url.split('?')[0] ?? '',
      get status() {
        return status();
      },
      authorized: isAuthorized(request),
      range: request.headers.range,
    });
    if (log.length > maximumLogged) log.shift();
  });
  return log;
}

/** Reads the status of a response at any time, without holding the response after its end. */
function followStatus(response: ServerResponse): () => number | null {
  // Only `current` may be captured below: a captured parameter would keep the response alive.
  let current: ServerResponse | number | null = response;
  const read = (): number | null => {
    if (current === null || typeof current === 'number') return current;
    return current.headersSent ? current.statusCode : null;
  };
  response.once('close', () => {
    current = read();
  });
  return read;
}
