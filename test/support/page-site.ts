/** A web site on the loopback interface whose pages a test writes, and which remembers what it was asked. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface SiteRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Site {
  readonly origin: string;
  readonly port: number;
  readonly requests: SiteRequest[];
  /** TCP connections that were ever made. */
  connections(): number;
  /** A page by its path: HTML, or whatever the function answers. */
  page(path: string, answer: string | ((request: IncomingMessage, response: ServerResponse) => void)): string;
  close(): Promise<void>;
}

export async function startSite(): Promise<Site> {
  const pages = new Map<string, string | ((request: IncomingMessage, response: ServerResponse) => void)>();
  const requests: SiteRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site');
    requests.push({ path: pathname, headers: request.headers });
    const answer = pages.get(pathname);
    if (answer === undefined) response.writeHead(404, { 'content-type': 'text/html' }).end('<body>nothing here');
    else if (typeof answer === 'function') answer(request, response);
    else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(answer);
  });
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    port,
    requests,
    connections: () => connections,
    page(path, answer) {
      pages.set(path, answer);
      return `${origin}${path}`;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
