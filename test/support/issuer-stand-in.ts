/** What the stand-ins for authorities elsewhere share: an HTTPS server that checks, answers, and fails when told to. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { acceptRequest } from '../backend/certificate-request.ts';
import { type Authority, createAuthority, createKey, keyPem } from './certificates.ts';

export interface StandInReply {
  readonly status: number;
  readonly body: unknown;
}

export interface StandIn {
  readonly url: string;
  /** Authority of the certificates that it issues. */
  readonly authority: Authority;
  /** PEM that its own TLS chains to. */
  readonly tlsPem: string;
  /** `METHOD /path?query` of each request, oldest first. */
  readonly calls: string[];
  /** Answer the next requests with these statuses, or lose the reply after the effect. */
  readonly faults: (number | 'lose-reply')[];
}

export async function startStandIn(
  t: TestContext,
  answer: (call: { method: string; url: URL; body: unknown; headers: IncomingMessage['headers'] }) => StandInReply,
): Promise<StandIn> {
  const tls = createAuthority('Stand-in TLS');
  const { privateKey, publicKey } = createKey();
  const now = Date.now();
  const { pem } = tls.issue({
    ...{ commonName: 'localhost', publicKey, purposes: ['serverAuth'], names: ['localhost'] },
    ...{ notBefore: new Date(now - 60_000), notAfter: new Date(now + 3_600_000) },
  });
  const calls: string[] = [];
  const faults: (number | 'lose-reply')[] = [];
  const server = createServer({ key: keyPem(privateKey), cert: pem }, async (request, reply) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', headers } = request;
    calls.push(`${method} ${request.url}`);
    const fault = faults.shift();
    const text = Buffer.concat(chunks).toString();
    const isJson = headers['content-type'] === 'application/json';
    const body = isJson ? parsed(text) : text;
    const url = new URL(request.url ?? '', 'https://localhost');
    const given =
      typeof fault === 'number'
        ? { status: fault, body: { error: { code: fault, status: 'FAULT' } } }
        : answer({ method, url, body, headers });
    if (fault === 'lose-reply') request.socket.destroy();
    else reply.writeHead(given.status, { 'content-type': 'application/json' }).end(JSON.stringify(given.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const authority = createAuthority('Stand-in issuer');
  return { url: `https://localhost:${port}`, authority, tlsPem: tls.certificatePem, calls, faults };
}

/** What is no JSON stays what it is, and no schema takes it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A client certificate for a request. */
export function signRequest(authority: Authority, csrPem: string, commonName: string, lifetimeMs: number): string {
  const { publicKey } = acceptRequest(csrPem, commonName);
  const now = Date.now();
  const dates = { notBefore: new Date(now - 60_000), notAfter: new Date(now + lifetimeMs) };
  return authority.issue({ commonName, publicKey, purposes: ['clientAuth'], ...dates }).pem;
}
