/** A stand-in for a player with a software key, over node:https: for tests of the reference server. */
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createRequest } from './certificate-requests.ts';
import { createKey, keyPem } from './certificates.ts';

export interface ClientIdentity {
  readonly privateKey: KeyObject;
  readonly certificatePem: string;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly identity?: ClientIdentity;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The body as JSON, parsed when it is asked for; `null` when it is empty. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into a reply of any shape and fails where it differs
  readonly json: any;
}

export interface Target {
  readonly origin: string;
  readonly caFile: string;
}

/** Begin a call on a connection of its own; resolves with the reply's head. */
export function open(target: Target, path: string, call: Call = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const outgoing = request(
      new URL(path, target.origin),
      {
        method: call.method ?? 'GET',
        agent: false,
        ca: readFileSync(target.caFile),
        minVersion: 'TLSv1.3',
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...call.headers },
        ...(call.identity && { key: keyPem(call.identity.privateKey), cert: call.identity.certificatePem }),
      },
      resolve,
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

/** A whole call. */
export async function send(target: Target, path: string, call: Call = {}): Promise<Reply> {
  const incoming = await open(target, path, call);
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    bytes,
    get json() {
      return bytes.length > 0 ? JSON.parse(bytes.toString()) : null;
    },
  };
}

/** The body of a registration. */
export function registrationBody(hostname: string, csr: string): object {
  const hardware = { manufacturer: 'Example', model: 'Board', serial: null, arch: 'x64' };
  return { csr, hostname, hardware, software: { player: '1.0.0' } };
}

/** Register a fresh key. */
export async function register(target: Target, hostname = 'srly-4shnfrdc5cd2p0p') {
  const { privateKey } = createKey();
  const body = registrationBody(hostname, createRequest(hostname, privateKey));
  const reply = await send(target, '/api/v2/screens/registrations', { method: 'POST', body });
  return { privateKey, hostname, reply, ...(reply.json as { id: string; pin: string; poll_token: string }) };
}

/** Ask what became of a registration. */
export function poll(target: Target, registration: { id: string; poll_token: string }): Promise<Reply> {
  const headers = { authorization: `Bearer ${registration.poll_token}` };
  return send(target, `/api/v2/screens/registrations/${registration.id}`, { headers });
}
