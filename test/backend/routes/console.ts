/** The operator console: its files, and logging in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readBody } from '../body.ts';
import type { Context } from '../context.ts';

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

export function consoleRoutes(server: FastifyInstance, context: Context): void {
  const files = [
    { paths: ['/', '/claim'], file: join(context.consoleDirectory, 'index.html'), type: 'text/html; charset=utf-8' },
    { paths: ['/console.js'], file: join(context.consoleDirectory, 'console.js'), type: 'text/javascript' },
    { paths: ['/console.css'], file: join(context.consoleDirectory, 'console.css'), type: 'text/css; charset=utf-8' },
    { paths: ['/inter.woff2'], file: context.typefaceFile, type: 'font/woff2' },
  ];
  for (const { paths, file, type } of files) {
    for (const path of paths) {
      server.get(path, (_request, reply) =>
        reply
          .type(type)
          .header('content-security-policy', policy)
          .header('cross-origin-opener-policy', 'same-origin')
          .header('cache-control', 'no-cache')
          .send(readFileSync(file)),
      );
    }
  }

  server.post('/console/session', (request, reply) => {
    context.operators.requireSameOrigin(request);
    const { token } = readBody(z.object({ token: z.string().max(128) }), request.body);
    return reply.header('set-cookie', context.operators.logIn(token, request.ip)).status(204).send();
  });

  server.delete('/console/session', (request, reply) => {
    context.operators.requireSameOrigin(request);
    return reply.header('set-cookie', context.operators.logOut(request)).status(204).send();
  });
}
