import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import type { Backend } from '../../backend/backend.ts';
import { backendFor, type RegisteredScreen, registeredScreen } from '../../support/backend-fixture.ts';
import { open } from '../../support/player-client.ts';

const path = '/api/v2/screens/events';

interface Stream {
  /** The next event or comment, as its lines; `null` at the end. */
  next(): Promise<readonly string[] | null>;
  close(): void;
}

async function listen(backend: Backend, screen: RegisteredScreen, lastEventId?: string): Promise<Stream> {
  const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const incoming = await open(backend, path, { identity: screen.identity, headers });
  assert.equal(incoming.statusCode, 200);
  assert.equal(incoming.headers['content-type'], 'text/event-stream');
  const blocks = readBlocks(incoming);
  const stream: Stream = {
    next: async () => (await blocks.next()).value ?? null,
    close: () => incoming.destroy(),
  };
  assert.deepEqual(await stream.next(), [': connected']);
  return stream;
}

async function* readBlocks(incoming: IncomingMessage): AsyncGenerator<readonly string[], undefined> {
  let text = '';
  for await (const chunk of incoming) {
    text += String(chunk);
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield text.slice(0, end).split('\n');
      text = text.slice(end + 2);
    }
  }
  return undefined;
}

test('sends playlist, command and certificate events, and those of one screen to that screen only', async (t) => {
  const backend = await backendFor(t);
  const lobby = await registeredScreen(backend, 'srly-lobby');
  const hall = await registeredScreen(backend, 'srly-hall');
  const atLobby = await listen(backend, lobby);
  const atHall = await listen(backend, hall);
  backend.setPlaylist({ playlists: [] });
  backend.sendEvent('certificate', '{}', lobby.id);
  backend.pushCommand({ action: 'identify' });
  assert.deepEqual((await atLobby.next())?.slice(1), ['event: playlist', 'data: 2']);
  assert.deepEqual((await atLobby.next())?.slice(1), ['event: certificate', 'data: {}']);
  assert.deepEqual((await atLobby.next())?.slice(1), ['event: command', 'data: {"action":"identify"}']);
  assert.deepEqual((await atHall.next())?.slice(1), ['event: playlist', 'data: 2']);
  assert.deepEqual((await atHall.next())?.slice(1), ['event: command', 'data: {"action":"identify"}']);
});

test('repeats what came after Last-Event-ID, and asks to fetch when it cannot know', async (t) => {
  const backend = await backendFor(t);
  const screen = await registeredScreen(backend);
  const first = await listen(backend, screen);
  backend.sendEvent('command', 'one');
  const [idLine = ''] = (await first.next()) ?? [];
  first.close();
  backend.sendEvent('command', 'two');
  backend.sendEvent('command', 'three');
  const second = await listen(backend, screen, idLine.slice('id: '.length));
  assert.equal((await second.next())?.[2], 'data: two');
  assert.equal((await second.next())?.[2], 'data: three');
  for (const strange of ['elsewhere-1', 'nonsense', '']) {
    const stream = await listen(backend, screen, strange);
    assert.deepEqual((await stream.next())?.slice(1), ['event: playlist', 'data: 1'], strange);
  }
});

test('ends the streams of a screen that is revoked or removed, and of that screen only', async (t) => {
  const backend = await backendFor(t);
  const revoked = await registeredScreen(backend, 'srly-revoked');
  const removed = await registeredScreen(backend, 'srly-removed');
  const staying = await registeredScreen(backend, 'srly-staying');
  const streams = [await listen(backend, revoked), await listen(backend, removed)];
  const kept = await listen(backend, staying);
  backend.revoke(revoked.id);
  backend.remove(removed.id);
  for (const stream of streams) assert.equal(await stream.next(), null);
  backend.sendEvent('playlist', '9');
  assert.equal((await kept.next())?.[2], 'data: 9');
  assert.equal(backend.openStreams(), 1);
});

test('keeps a quiet stream alive with comment lines every 25 seconds', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const backend = await backendFor(t);
  const stream = await listen(backend, await registeredScreen(backend));
  t.mock.timers.tick(25_000);
  assert.deepEqual(await stream.next(), [': heartbeat']);
});
