/** The operator's calls: claim, deny, list, remove. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readBody } from '../body.ts';
import type { Context } from '../context.ts';
import { normalizePin } from '../pin.ts';
import { pendingDocument, readTimezone, screenDocument } from '../screen-document.ts';

const claimBody = z.object({
  pin: z.string().max(32),
  name: z.string().trim().min(1, 'must not be empty').max(80),
  timezone: z.string().max(64).optional(),
});

export function operatorRoutes(server: FastifyInstance, context: Context): void {
  server.addHook('onRequest', async (request) => context.operators.authorize(request));

  server.get('/api/v3/registrations/', (_request, reply) =>
    reply.send({
      registrations: context.registrations.pending().map(pendingDocument),
      refused: context.turnedAway.list(),
    }),
  );

  server.delete<{ Params: { id: string } }>('/api/v3/registrations/:id/', (request, reply) => {
    context.registrations.deny(request.params.id);
    return reply.status(204).send();
  });

  server.get('/api/v3/screens/', (_request, reply) =>
    reply.send({ screens: context.screens.list().map((screen) => screenDocument(screen, context)) }),
  );

  server.post('/api/v3/screens/', (request, reply) => {
    const body = readBody(claimBody, request.body);
    const timezone = readTimezone(body.timezone);
    const registration = context.registrations.claimable(normalizePin(body.pin));
    const screen = context.screens.claim(registration, body.name, timezone);
    return reply.status(201).send(screenDocument(screen, context));
  });

  server.delete<{ Params: { id: string } }>('/api/v3/screens/:id/', (request, reply) => {
    context.screens.remove(request.params.id);
    context.events.end(request.params.id);
    return reply.status(204).send();
  });
}
