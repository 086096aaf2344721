/** The calls of a registered screen, all over mutual TLS: playlist, events, renewal, media. */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readBody } from '../body.ts';
import { readByteRange } from '../byte-range.ts';
import type { Context } from '../context.ts';
import { matchesTag } from '../programming.ts';
import { Refusal } from '../refusal.ts';

const renewalBody = z.object({ csr: z.string().max(8192) });

export function screenRoutes(server: FastifyInstance, context: Context): void {
  server.addHook('onRequest', async (request) => {
    context.identify(request);
  });

  server.get('/api/v2/screens/playlist', (request, reply) => {
    const { etag, body } = context.programming.reply(context.identify(request));
    reply.header('etag', etag).header('cache-control', 'no-cache');
    if (matchesTag(request.headers['if-none-match'], etag)) return reply.status(304).send();
    return reply.type('application/json; charset=utf-8').send(body);
  });

  server.get('/api/v2/screens/events', { exposeHeadRoute: false }, (request, reply) => {
    const screen = context.identify(request);
    const lastEventId = request.headers['last-event-id'];
    reply.hijack();
    context.events.open(screen.id, reply.raw, lastEventId?.toString(), context.programming.version);
  });

  server.post('/api/v2/screens/certificate', (request, reply) => {
    const { csr } = readBody(renewalBody, request.body);
    const certificate = context.screens.renew(context.identify(request), csr);
    return reply.send({ certificate, chain: [context.issuer.caPem] });
  });

  server.get<{ Params: { sha256: string } }>('/media/:sha256', (request, reply) => {
    const media = context.library.bySha256(request.params.sha256);
    if (media === undefined) throw new Refusal(404, 'media-unknown', 'There is no such media.');
    const etag = `"${media.sha256}"`;
    reply
      .header('etag', etag)
      .header('accept-ranges', 'bytes')
      .header('cache-control', 'private, max-age=31536000, immutable')
      .type(media.contentType);
    if (matchesTag(request.headers['if-none-match'], etag)) return reply.status(304).send();
    // If-Range needs strong comparison (RFC 9110 §13.1.5); anything else gets the whole.
    const ifRange = request.headers['if-range'];
    const isCurrent = ifRange === undefined || ifRange === etag;
    const range = readByteRange(isCurrent ? request.headers.range : undefined, media.sizeBytes);
    if (range.kind === 'unsatisfiable') {
      return reply.status(416).header('content-range', `bytes */${media.sizeBytes}`).send();
    }
    if (range.kind === 'whole') {
      return reply.header('content-length', media.sizeBytes).send(Readable.from(chunks(media.bytes)));
    }
    const part = media.bytes.subarray(range.start, range.end + 1);
    return reply
      .status(206)
      .header('content-range', `bytes ${range.start}-${range.end}/${media.sizeBytes}`)
      .header('content-length', part.length)
      .send(Readable.from(chunks(part)));
  });
}

function* chunks(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += 65_536) yield bytes.subarray(start, start + 65_536);
}
