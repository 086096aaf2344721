/** Carries out the faults of a plan. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Fault, FaultPlan } from './fault-plan.ts';
import { errorBody } from './refusal.ts';

/** Must come after the request log, which then sees struck requests as well. */
export function applyFaults(server: FastifyInstance, faults: FaultPlan): void {
  const struck = new WeakMap<FastifyRequest, Fault>();
  server.addHook('onRequest', async (request, reply) => {
    const fault = faults.strike(request.method, request.url);
    if (fault === undefined) return;
    struck.set(request, fault);
    if (fault.close) {
      reply.hijack();
      request.raw.socket.destroy();
    } else if (fault.status !== undefined) {
      if (fault.retryAfter !== undefined) reply.header('retry-after', fault.retryAfter);
      await reply.status(fault.status).send(errorBody('fault', 'A fault that a test has ordered.'));
    }
  });
  server.addHook('onSend', async (request, _reply, payload: unknown) => {
    const fault = struck.get(request);
    if (fault?.loseReply) request.raw.socket.destroy();
    if (fault?.cutAfterBytes === undefined || !(payload instanceof Readable)) return payload;
    return Readable.from(cut(payload, fault.cutAfterBytes, () => request.raw.socket.destroySoon()));
  });
}

async function* cut(source: Readable, limitBytes: number, close: () => void): AsyncGenerator<Buffer> {
  let left = limitBytes;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.length);
    if (left === 0) break;
  }
  close();
}
