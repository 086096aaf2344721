import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, isIP, type LookupFunction, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '../log.ts';

const connectTimeoutMs = 10_000;
const upstreamTimeoutMs = 30_000;
const idleTimeoutMs = 180_000;
const mostConnections = 256;
const realm = 'pages';

/** A proxy that names are handed to. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
  /** Value of `Proxy-Authorization`. */
  readonly authorization: string | undefined;
}

export interface Address {
  readonly address: string;
  readonly family: number;
}

export interface GatePorts {
  /** Whether this host and port may be reached at all, and whether also at an address of a private network. */
  rule(host: string, port: number, plain: boolean): 'refused' | 'public' | 'anywhere';
  isPublic(address: string): boolean;
  /** Every address of a name. Rejects when it has none. */
  resolve(host: string): Promise<readonly Address[]>;
  /** The settings' proxy for a host; `null`: none. @throws PlayerError when its credentials cannot be read */
  upstream(host: string): Promise<Upstream | null>;
  readonly log: Pick<Log, 'warn'>;
}

/**
 * The one way of web pages to the network: a proxy inside main that resolves a name, judges every address of it and
 * connects to exactly what it judged, so that a name cannot mean another address a moment later. Speaks to Chromium
 * alone, which it knows by a password drawn at each start.
 */
export interface Gate {
  /** For `session.setProxy`: everything goes through, loopback included. */
  readonly proxy: { readonly proxyRules: string; readonly proxyBypassRules: string };
  /** What Chromium is to say when the proxy at this place asks for a password; `null` for any other proxy. */
  login(host: string, port: number): { readonly username: string; readonly password: string } | null;
  close(): void;
}

/** Opens the gate on a free port of the loopback interface. */
export async function openGate(ports: GatePorts): Promise<Gate> {
  const password = randomBytes(24).toString('base64url');
  const expected = Buffer.from(`Basic ${Buffer.from(`${realm}:${password}`).toString('base64')}`);
  const knows = ({ headers }: IncomingMessage) => {
    const given = Buffer.from(headers['proxy-authorization'] ?? '');
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
  const server = createServer({ maxHeaderSize: 65_536 }, (incoming, outgoing) => {
    if (knows(incoming)) void forward(incoming, outgoing, ports);
    else outgoing.writeHead(407, { 'proxy-authenticate': `Basic realm="${realm}"` }).end();
  });
  server.maxConnections = mostConnections;
  server.on('connect', (incoming, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (knows(incoming)) void tunnel(incoming.url ?? '', socket, head, ports);
    else
      socket.end(
        `HTTP/1.1 407 Authenticate\r\nProxy-Authenticate: Basic realm="${realm}"\r\nContent-Length: 0\r\n\r\n`,
      );
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', listening);
  });
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    proxy: { proxyRules: `http://127.0.0.1:${port}`, proxyBypassRules: '<-loopback>' },
    login: (host, asked) => (host === '127.0.0.1' && asked === port ? { username: realm, password } : null),
    close: () => server.close(),
  };
}

/** Why a connection is not made; its word goes to the log. */
class Refused extends Error {}

/**
 * The addresses of a host that may be connected to. One private address among public ones refuses the host: a name
 * that means both is what rebinding looks like.
 */
async function judged(host: string, port: number, plain: boolean, ports: GatePorts) {
  const rule = ports.rule(host, port, plain);
  if (rule === 'refused') throw new Refused('not-allowed');
  const addresses = isIP(host) === 0 ? await ports.resolve(host) : [{ address: host, family: isIP(host) }];
  if (rule === 'public' && !addresses.every(({ address }) => ports.isPublic(address)))
    throw new Refused('private-address');
  return addresses;
}

/** For `net` and `http`: hands out what was judged and asks nobody again. */
function fixedLookup(addresses: readonly Address[]): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family ?? 4);
  };
}

function placeOf(authority: string): { host: string; port: number } | null {
  const [, name = '', port = ''] = /^(\[[0-9a-fA-F:.]+\]|[^\s:/@[\]]{1,253}):(\d{1,5})$/.exec(authority) ?? [];
  // With the dot of the root behind it a name is the same name, and would be none of those that the rules know.
  const host = name
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.+$/, '')
    .toLowerCase();
  if (host === '' || Number(port) < 1 || Number(port) > 65_535) return null;
  return { host, port: Number(port) };
}

async function tunnel(authority: string, client: Duplex, head: Buffer, ports: GatePorts): Promise<void> {
  try {
    const place = placeOf(authority);
    if (place === null) throw new Refused('not-an-authority');
    const server = await reach(place.host, place.port, authority, ports);
    if (client.destroyed) return void server.destroy();
    client.write('HTTP/1.1 200 Connected\r\n\r\n');
    if (head.length > 0) server.write(head);
    join(client, server);
  } catch (thrown) {
    client.end(`HTTP/1.1 ${answerTo(thrown, ports)} Refused\r\nContent-Length: 0\r\n\r\n`);
  }
}

async function reach(host: string, port: number, authority: string, ports: GatePorts): Promise<Socket> {
  const upstream = await ports.upstream(host);
  if (upstream === null) {
    const addresses = await judged(host, port, false, ports);
    return opened(connect({ host, port, lookup: fixedLookup(addresses), autoSelectFamily: true }));
  }
  // The proxy resolves names; what can be judged here is the name itself and an address written out.
  if (ports.rule(host, port, false) === 'refused') throw new Refused('not-allowed');
  const literal = isIP(host) !== 0 || host === 'localhost' || host.endsWith('.localhost');
  if (literal) await judged(host, port, false, ports);
  const server = await opened(connect({ host: upstream.host, port: upstream.port, autoSelectFamily: true }));
  const authorization =
    upstream.authorization === undefined ? '' : `Proxy-Authorization: ${upstream.authorization}\r\n`;
  server.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
  await tunnelGranted(server);
  return server;
}

/** Reads the upstream proxy's answer: in time, at most 16 KiB, and nothing of the server before it. */
function tunnelGranted(server: Socket): Promise<void> {
  return new Promise((granted, failed) => {
    let answer = '';
    const fail = () => {
      server.destroy();
      failed(new Refused('proxy'));
    };
    server.setTimeout(upstreamTimeoutMs, fail);
    const read = (piece: Buffer) => {
      answer += piece.toString('latin1');
      const end = answer.indexOf('\r\n\r\n');
      if (end < 0 && answer.length <= 16_384) return;
      server.off('data', read);
      server.off('close', fail);
      server.off('timeout', fail);
      server.pause();
      if (end === answer.length - 4 && /^HTTP\/1\.[01] 2\d\d[ \r]/.test(answer)) granted();
      else fail();
    };
    server.on('data', read);
    server.once('close', fail);
  });
}

function opened(socket: Socket): Promise<Socket> {
  return new Promise((resolved, failed) => {
    const timer = setTimeout(() => socket.destroy(new Error('timeout')), connectTimeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolved(socket);
    });
    socket.once('error', failed);
    socket.once('close', () => {
      clearTimeout(timer);
      failed(new Error('closed'));
    });
  });
}

function join(client: Duplex, server: Socket): void {
  const both = () => {
    client.destroy();
    server.destroy();
  };
  server.setTimeout(idleTimeoutMs, both);
  server.on('error', both).on('close', both);
  client.on('error', both).on('close', both);
  client.pipe(server);
  server.pipe(client);
}

/** A plain http page, which the settings have to allow by name; it goes without the settings' proxy, as media do. */
async function forward(incoming: IncomingMessage, outgoing: ServerResponse, ports: GatePorts): Promise<void> {
  try {
    const url = URL.canParse(incoming.url ?? '') ? new URL(incoming.url ?? '') : null;
    if (url?.protocol !== 'http:') throw new Refused('not-http');
    const place = placeOf(`${url.hostname}:${url.port || '80'}`);
    if (place === null) throw new Refused('not-an-authority');
    const addresses = await judged(place.host, place.port, true, ports);
    const headers = { ...incoming.headers };
    for (const name of ['proxy-authorization', 'proxy-connection', 'connection', 'keep-alive', 'te', 'upgrade'])
      delete headers[name];
    const onward = request({
      host: place.host,
      port: place.port,
      path: url.pathname + url.search,
      headers: { ...headers, host: url.host },
      agent: false,
      lookup: fixedLookup(addresses),
      timeout: idleTimeoutMs,
      ...(incoming.method === undefined ? {} : { method: incoming.method }),
    });
    onward.on('response', (reply) => {
      if (!passOn(reply, outgoing)) onward.destroy();
    });
    onward.on('timeout', () => onward.destroy());
    onward.on('error', () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  } catch (thrown) {
    // No answer at all: one of the gate's own would pass for the server's.
    answerTo(thrown, ports);
    outgoing.destroy();
  }
}

/**
 * Node reads heads that it does not write, such as a status of 099 or a trailer without chunks: thrown here, that would
 * end the player. And a server that speaks as a proxy would have Chromium ask for the gate's password again and again.
 * @returns whether the answer is one
 */
function passOn(reply: IncomingMessage, outgoing: ServerResponse): boolean {
  const headers = { ...reply.headers };
  for (const name of ['proxy-authenticate', 'proxy-connection', 'connection', 'keep-alive', 'trailer', 'upgrade'])
    delete headers[name];
  try {
    if (reply.statusCode === 407) throw new Error('an answer of a proxy');
    outgoing.writeHead(reply.statusCode ?? 502, headers);
  } catch {
    outgoing.destroy();
    return false;
  }
  // Broken off, it must not look like one that is still to come.
  reply.on('close', () => reply.complete || outgoing.destroy());
  reply.pipe(outgoing);
  return true;
}

function answerTo(thrown: unknown, { log }: GatePorts): 403 | 502 {
  if (!(thrown instanceof Refused)) return 502;
  log.warn('page-request-denied', { reason: thrown.message });
  return 403;
}
