/** The player's side of registration: server-authenticated TLS, no client certificate. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readBody } from '../body.ts';
import { acceptRequest } from '../certificate-request.ts';
import type { Context } from '../context.ts';
import { RateLimit } from '../rate-limit.ts';
import { Refusal } from '../refusal.ts';
import { screenDocument } from '../screen-document.ts';

const word = z.string().max(128).nullish();

const registrationBody = z.object({
  csr: z.string().max(8192),
  hostname: z.string().max(63),
  hardware: z.object({ manufacturer: word, model: word, serial: word, arch: word }),
  software: z.object({ player: z.string().max(64) }),
});

export function registrationRoutes(server: FastifyInstance, context: Context): void {
  const limit = new RateLimit(context.registrationsPerMinute, context.now);

  server.post('/api/v2/screens/registrations', (request, reply) => {
    limit.take(request.ip);
    const body = readBody(registrationBody, request.body);
    const accepted = acceptRequest(body.csr, body.hostname);
    const hardware = [body.hardware.manufacturer, body.hardware.model, body.hardware.arch].filter(Boolean).join(' ');
    const { record, pollToken } = context.registrations.open(accepted, body.csr, hardware);
    return reply.status(201).send({
      id: record.id,
      pin: record.pin,
      fingerprint: record.fingerprint,
      expires_at: new Date(record.expiresAtMs).toISOString(),
      poll_interval: context.pollIntervalSeconds,
      poll_token: pollToken,
      challenge: null,
    });
  });

  server.get<{ Params: { id: string } }>('/api/v2/screens/registrations/:id', (request, reply) => {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new Refusal(401, 'poll-token-required', 'The poll token is missing.');
    const { outcome } = context.registrations.poll(request.params.id, token);
    if (outcome.status !== 'issued') return reply.send({ status: outcome.status });
    const screen = context.screens.find(outcome.screenId);
    if (screen === undefined || screen.removedAtMs !== null) {
      throw new Refusal(410, 'screen-removed', 'This screen was removed.');
    }
    return reply.send({
      status: 'issued',
      certificate: outcome.certificatePem,
      chain: [context.issuer.caPem],
      screen: screenDocument(screen, context),
    });
  });
}
