/** The player's side of registration: server-authenticated TLS, no client certificate. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { readBody } from '../body.ts';
import { acceptRequest } from '../certificate-request.ts';
import type { Context } from '../context.ts';
import {
  answerBody,
  challengeDocument,
  hardwareDocument,
  readAnswer,
  readEvidence,
  tpmBody,
} from '../hardware-identity.ts';
import { RateLimit } from '../rate-limit.ts';
import { Refusal } from '../refusal.ts';
import { screenDocument } from '../screen-document.ts';
import { createId } from '../secret.ts';

const word = z.string().max(128).nullish();

const registrationBody = z.object({
  csr: z.string().max(8192),
  hostname: z.string().max(63),
  hardware: z.object({ manufacturer: word, model: word, serial: word, arch: word }),
  software: z.object({ player: z.string().max(64) }),
  tpm: tpmBody.nullish(),
});

export function registrationRoutes(server: FastifyInstance, context: Context): void {
  const limit = new RateLimit(context.registrationsPerMinute, context.now);

  server.post('/api/v2/screens/registrations', (request, reply) => {
    limit.take(request.ip);
    const body = readBody(registrationBody, request.body);
    const accepted = acceptRequest(body.csr, body.hostname);
    const hardware = [body.hardware.manufacturer, body.hardware.model, body.hardware.arch].filter(Boolean).join(' ');
    const id = createId();
    const ask = () => context.hardware.ask(id, readEvidence(body.csr, body.tpm));
    const asked = notingRefusal(context, accepted, hardware, ask);
    const place = { id, hardwareIdentity: asked.record };
    const { record, pollToken } = context.registrations.open(accepted, body.csr, hardware, place);
    if (asked.challenge === null) context.turnedAway.forget(accepted.fingerprint);
    return reply.status(201).send({
      id: record.id,
      pin: record.pin,
      fingerprint: record.fingerprint,
      expires_at: new Date(record.expiresAtMs).toISOString(),
      poll_interval: context.pollIntervalSeconds,
      poll_token: pollToken,
      challenge: challengeDocument(asked.challenge),
      hardware_identity: asked.challenge === null ? hardwareDocument(record.hardwareIdentity) : null,
    });
  });

  server.post<{ Params: { id: string } }>('/api/v2/screens/registrations/:id/attestation', async (request, reply) => {
    const record = context.registrations.poll(request.params.id, pollTokenOf(request));
    const answer = readAnswer(readBody(answerBody, request.body));
    if (record.outcome.status !== 'pending' || record.hardwareIdentity.state !== 'awaited') {
      throw new Refusal(422, 'challenge-unknown', 'There is no open challenge.');
    }
    try {
      const judge = () => context.hardware.judge(record.id, answer);
      context.registrations.judged(record, notingRefusal(context, record, record.hardware, judge));
    } catch (error) {
      context.registrations.end(record);
      throw error;
    }
    context.turnedAway.forget(record.fingerprint);
    const known = context.readmits ? context.screens.known(record) : undefined;
    if (known !== undefined) {
      context.screens.readmit(record, known);
      await context.screens.settle(record);
    }
    return reply.send({ hardware_identity: hardwareDocument(record.hardwareIdentity) });
  });

  server.get<{ Params: { id: string } }>('/api/v2/screens/registrations/:id', async (request, reply) => {
    const record = context.registrations.poll(request.params.id, pollTokenOf(request));
    await context.screens.settle(record);
    const { outcome } = record;
    if (outcome.status === 'claimed') return reply.send({ status: 'pending', granted: true });
    if (outcome.status !== 'issued') return reply.send({ status: outcome.status });
    const screen = context.screens.find(outcome.screenId);
    if (screen === undefined || screen.removedAtMs !== null) {
      throw new Refusal(410, 'screen-removed', 'This screen was removed.');
    }
    return reply.send({
      status: 'issued',
      certificate: outcome.certificatePem,
      chain: outcome.chainPem.length > 0 ? outcome.chainPem : await context.issuer.roots(),
      screen: screenDocument(screen, context),
    });
  });
}

/** What the hardware's judge says; a refusal is shown to the operator as well. */
function notingRefusal<Verdict>(
  context: Context,
  device: { readonly hostname: string; readonly fingerprint: string },
  hardware: string,
  judge: () => Verdict,
): Verdict {
  try {
    return judge();
  } catch (error) {
    if (error instanceof Refusal) context.turnedAway.note(device, hardware, error.code);
    throw error;
  }
}

function pollTokenOf(request: FastifyRequest): string {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new Refusal(401, 'poll-token-required', 'The poll token is missing.');
  return token;
}
