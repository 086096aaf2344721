import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pageOf, readStream } from './mark-media.ts';

/** Web pages and streams come from a server of their own: `/9`, `/stream-7.m3u8`. */
export async function serveMarks(): Promise<{ readonly origin: string; close(): void }> {
  const server = createServer((request, reply) => {
    const name = request.url?.slice(1) ?? '';
    const stream = readStream(name);
    if (stream === null) reply.setHeader('content-type', 'text/html; charset=utf-8');
    reply.end(stream ?? pageOf(Number(name)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
