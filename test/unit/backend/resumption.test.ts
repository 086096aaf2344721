import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import type { Backend } from '../../backend/backend.ts';
import { backendFor, registeredScreen } from '../../support/backend-fixture.ts';
import { keyPem } from '../../support/certificates.ts';
import type { ClientIdentity } from '../../support/player-client.ts';

interface Visit {
  readonly status: number;
  readonly session: Buffer;
  readonly isResumed: boolean;
}

/** Ask for the playlist on a connection that offers a session, and take the ticket along. */
async function visit(backend: Backend, identity?: ClientIdentity, session?: Buffer): Promise<Visit> {
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    servername: 'localhost',
    port: backend.port,
    ca: readFileSync(backend.caFile),
    ...(session && { session }),
    ...(identity && { key: keyPem(identity.privateKey), cert: identity.certificatePem }),
  });
  let isResumed = false;
  socket.once('secureConnect', () => {
    isResumed = socket.isSessionReused();
  });
  let latest = session;
  socket.on('session', (ticket) => {
    latest = ticket;
  });
  socket.write('GET /api/v2/screens/playlist HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  assert.ok(latest, 'the server gave no ticket');
  return { status: Number(text.split(' ')[1]), session: latest, isResumed };
}

test('refuses an anonymous client also when it resumes a session', async (t) => {
  const backend = await backendFor(t);
  const first = await visit(backend);
  const second = await visit(backend, undefined, first.session);
  assert.deepEqual([first.status, first.isResumed], [401, false]);
  assert.deepEqual([second.status, second.isResumed], [401, true]);
});

test('refuses a screen that was revoked after the session began, and knows it until then', async (t) => {
  const backend = await backendFor(t);
  const screen = await registeredScreen(backend);
  const first = await visit(backend, screen.identity);
  const second = await visit(backend, screen.identity, first.session);
  assert.deepEqual([second.status, second.isResumed], [200, true]);
  backend.revoke(screen.id);
  const third = await visit(backend, screen.identity, second.session);
  assert.deepEqual([third.status, third.isResumed], [403, true]);
});
