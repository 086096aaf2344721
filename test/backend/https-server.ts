/** The HTTPS server: TLS 1.3, a client certificate asked for but not yet required; error replies. */
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import { errorBody, Refusal } from './refusal.ts';

/** Larger than any request of the protocol: a request for a certificate is below 1 KiB. */
const bodyLimitBytes = 32_768;

export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
  /** The authority whose client certificates count. */
  readonly ca: string;
}

/** Use another certificate and other authorities for connections from now on. */
export function setIdentity(server: FastifyInstance, tls: TlsFiles): void {
  (server.server as unknown as Server).setSecureContext({ ...tls, minVersion: 'TLSv1.3' });
}

/** The TLS socket under a request. */
export function socketOf(request: FastifyRequest): TLSSocket {
  return request.raw.socket as TLSSocket;
}

export function createHttpsServer(tls: TlsFiles): FastifyInstance {
  const https = { ...tls, minVersion: 'TLSv1.3' as const, requestCert: true, rejectUnauthorized: false };
  const server = fastify({ https, bodyLimit: bodyLimitBytes, forceCloseConnections: true, requestTimeout: 30_000 });
  const sockets = new Set<Socket>();
  let closing = false;
  server.server.on('connection', (socket: Socket) => {
    if (closing) return void socket.destroy();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // Also those without a handshake yet, which browsers open ahead of need: Node does not count them and waits for them.
  server.addHook('preClose', async () => {
    closing = true;
    for (const socket of sockets) socket.destroy();
  });
  server.removeContentTypeParser('text/plain');
  server.addHook('onRequest', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer');
  });
  server.setNotFoundHandler((_request, reply) =>
    reply.status(404).send(errorBody('not-found', 'There is no such call.')),
  );
  server.setErrorHandler((error: FastifyError | Refusal, request, reply) => {
    if (error instanceof Refusal) {
      if (error.retryAfterSeconds !== undefined) reply.header('retry-after', String(error.retryAfterSeconds));
      return reply.status(error.status).send(errorBody(error.code, error.message));
    }
    const status = error.statusCode ?? 500;
    if (status >= 500) {
      process.stderr.write(`${request.method} ${request.url.split('?')[0]}: ${error.stack ?? error.message}\n`);
      return reply.status(500).send(errorBody('internal', 'The server failed.'));
    }
    const code = error.code
      .replace(/^FST_ERR_/, '')
      .replaceAll('_', '-')
      .toLowerCase();
    return reply.status(status).send(errorBody(code, error.message));
  });
  return server as unknown as FastifyInstance;
}
