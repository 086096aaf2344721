/** The calls of a registered screen, all over mutual TLS: playlist, events, renewal, media. */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readBody } from '../body.ts';
import { readByteRange } from '../byte-range.ts';
import { acceptRequest } from '../certificate-request.ts';
import type { Context } from '../context.ts';
import { answerBody, challengeDocument, readAnswer, readEvidence, tpmBody } from '../hardware-identity.ts';
import { matchesTag } from '../programming.ts';
import { Refusal } from '../refusal.ts';
import type { Renewed } from '../screens.ts';

const renewalBody = z.object({ csr: z.string().max(8192), tpm: tpmBody.nullish() });
const proofBody = answerBody.extend({ id: z.string().max(64) });

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

  server.post('/api/v2/screens/certificate', async (request, reply) => {
    const screen = context.identify(request);
    const { csr, tpm } = readBody(renewalBody, request.body);
    const { fingerprint } = acceptRequest(csr, screen.hostname);
    if (fingerprint !== context.presentKey(request) && context.keyChanges.needsProof(screen)) {
      const { id, challenge } = context.keyChanges.ask(screen, csr, readEvidence(csr, tpm));
      return reply.status(202).send({ id, challenge: challengeDocument(challenge) });
    }
    return reply.send(renewed(await context.screens.renew(screen, csr)));
  });

  server.post('/api/v2/screens/certificate/attestation', async (request, reply) => {
    const screen = context.identify(request);
    const { id, ...answer } = readBody(proofBody, request.body);
    const { csrPem, proved } = context.keyChanges.settle(screen, id, readAnswer(answer));
    return reply.send(renewed(await context.screens.renew(screen, csrPem, proved)));
  });

  server.get('/api/v2/screens/roots', async (_request, reply) => reply.send({ roots: await context.issuer.roots() }));

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

function renewed({ certificatePem, chainPem }: Renewed) {
  return { certificate: certificatePem, chain: chainPem };
}

function* chunks(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += 65_536) yield bytes.subarray(start, start + 65_536);
}
