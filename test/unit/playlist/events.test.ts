import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { type EventPorts, listenForEvents } from '../../../electron/playlist/events.ts';
import { recordedLog } from '../../support/recorded-log.ts';

type Connection =
  | { readonly status?: number; readonly retryAfterMs?: number; readonly chunks?: readonly (string | Buffer)[] }
  | Error;

/** Listens through a script of connections; every wait passes at once, the last one ends it. */
async function listen(connections: readonly Connection[]) {
  const script = [...connections];
  const end = new AbortController();
  const done: string[] = [];
  const bodies: Readable[] = [];
  const { log, lines } = recordedLog();
  const wait = (how: string) => async (ms: number) => {
    done.push(`${how} ${ms}`);
    if (script.length === 0) end.abort();
    end.signal.throwIfAborted();
  };
  const ports: EventPorts = {
    open: async (lastEventId) => {
      done.push(`open ${lastEventId}`);
      const next = script.shift();
      if (next === undefined || next instanceof Error) throw next;
      const body = Readable.from((next.chunks ?? []).map((chunk) => Buffer.from(chunk as string)));
      bodies.push(body);
      return { status: next.status ?? 200, body, retryAfterMs: next.retryAfterMs };
    },
    take: (event) => void done.push(event),
    missed: () => void done.push('missed'),
    wait: wait('wait out'),
    waitForServer: wait('wait'),
    backoff: (attempt) => attempt,
    log,
  };
  await assert.rejects(listenForEvents(ports, end.signal), { name: 'AbortError' });
  return { done, bodies, lines };
}

test('refuses an event without end and connects anew', async () => {
  const { done, lines, bodies } = await listen([
    { chunks: ['data: ', ...Array<string>(5).fill('x'.repeat(16_384))] },
    {},
  ]);
  assert.deepEqual(done.slice(0, 3), ['open undefined', 'wait 5', 'open undefined']);
  assert.ok(lines.some((line) => line.includes('longer than 64 KiB')));
  assert.equal(bodies[0]?.destroyed, true);
});

test('refuses an event that grows between comments, which end no event', async () => {
  const pieces = Array<string>(40).fill(`data: ${'x'.repeat(8_000)}\n: still here\n`);
  const { lines, bodies } = await listen([{ chunks: pieces }]);
  assert.ok(lines.some((line) => line.includes('longer than 64 KiB')));
  assert.equal(bodies[0]?.destroyed, true);
});

test('refuses an event that is too long, also one that comes whole in a single chunk', async () => {
  const { done, lines } = await listen([{ chunks: [`event: playlist\ndata: ${'x'.repeat(65_537)}\n\n`] }]);
  assert.equal(done.includes('playlist'), false);
  assert.ok(lines.some((line) => line.includes('longer than 64 KiB')));
});

test('many small events are no large one', async () => {
  const { done } = await listen([
    { chunks: Array<string>(20).fill(`event: playlist\ndata: ${'1'.repeat(8_000)}\n\n`) },
  ]);
  assert.equal(done.filter((step) => step === 'playlist').length, 20);
});

test('heartbeats for weeks are no large event', async () => {
  const { lines } = await listen([{ chunks: Array<string>(200).fill(`: ${'.'.repeat(1_000)}\n`) }]);
  assert.equal(
    lines.some((line) => line.includes('longer than')),
    false,
  );
});

test('an answer other than 200 is tried again, with back-off', async () => {
  const { done, bodies } = await listen([{ status: 503 }, { status: 503 }, { status: 404 }]);
  assert.deepEqual(
    done.filter((step) => step.startsWith('wait')),
    ['wait 0', 'wait 1', 'wait 2'],
  );
  assert.ok(bodies.every((body) => body.destroyed));
  assert.equal(done.includes('missed'), false);
});

test('a refusal of the screen lets the sync hear it too', async () => {
  for (const status of [401, 403, 410]) {
    const { done } = await listen([{ status }]);
    assert.deepEqual(done, ['open undefined', 'missed', 'wait 0']);
  }
});

test('passes on what the server says and nothing else', async () => {
  const text = [
    'event: playlist\ndata: 8\n\n',
    'event: certificate\ndata: now\n\n',
    'event: command\ndata: reboot\n\n',
    'event: constructor\ndata: 1\n\n',
    'data: playlist\n\n',
    'event: playlist\n\n',
    ': playlist\n\n',
  ].join('');
  assert.deepEqual((await listen([{ chunks: [text] }])).done, [
    'open undefined',
    'playlist',
    'certificate',
    'command',
    'wait 5',
  ]);
});

test('understands an event however it is cut and whatever its line ends', async () => {
  for (const text of ['event: playlist\ndata: é\n\n', 'event: playlist\r\ndata: é\r\n\r\n\n']) {
    const chunks = [...Buffer.from(text)].map((byte) => Buffer.from([byte]));
    assert.equal((await listen([{ chunks }])).done[1], 'playlist');
  }
});

test('after a reconnect fetches once, for what was said meanwhile', async () => {
  const { done } = await listen([new Error('away'), {}, {}]);
  assert.deepEqual(done, [
    'open undefined',
    'wait 0',
    'open undefined',
    'missed',
    'wait 5',
    'open undefined',
    'missed',
    'wait 6',
  ]);
});

test('says on reconnect which event was the last, also when later ones had no id', async () => {
  const { done } = await listen([
    { chunks: ['id: 41\nevent: playlist\ndata: 1\n\n', 'event: playlist\ndata: 2\n\n'] },
    { chunks: ['id: 42\ndata: x\n\n'] },
    {},
  ]);
  assert.deepEqual(
    done.filter((step) => step.startsWith('open')),
    ['open undefined', 'open 41', 'open 42'],
  );
});

test('a last event that the server refuses is not named again; one that it could not hear now is', async () => {
  for (const [status, next] of [
    [400, 'open undefined'],
    [404, 'open undefined'],
    [401, 'open 41'],
    [429, 'open 41'],
    [503, 'open 41'],
  ] as const) {
    const { done } = await listen([{ chunks: ['id: 41\ndata: x\n\n'] }, { status }, {}]);
    assert.deepEqual(
      done.filter((step) => step.startsWith('open')),
      ['open undefined', 'open 41', next],
      `${status}`,
    );
  }
});

test('an id that could not be sent back as a header is not taken', async () => {
  for (const id of ['☃', 'a\u0001b', 'x'.repeat(129)]) {
    const { done } = await listen([{ chunks: [`id: 7\ndata: x\n\nid: ${id}\ndata: x\n\n`] }, {}]);
    assert.ok(done.includes('open 7'), id);
  }
});

test('an event starts the back-off anew', async () => {
  const { done } = await listen([
    new Error('a'),
    new Error('b'),
    { chunks: ['event: playlist\ndata: 1\n\n'] },
    new Error('c'),
    {},
  ]);
  assert.deepEqual(
    done.filter((step) => step.startsWith('wait')),
    ['wait 0', 'wait 1', 'wait 5', 'wait 6', 'wait 7'],
  );
});

test('a stream that ends is opened again as after five failures: all screens lose theirs together', async () => {
  const { done } = await listen([{}, new Error('still away'), {}]);
  assert.deepEqual(
    done.filter((step) => step.startsWith('wait')),
    ['wait 5', 'wait 6', 'wait 7'],
  );
});

test('what the server asks for is waited out, whatever else is known of it', async () => {
  const { done } = await listen([{ status: 503, retryAfterMs: 7_000 }, new Error('away'), {}]);
  assert.deepEqual(
    done.filter((step) => step.startsWith('wait')),
    ['wait out 7000', 'wait 1', 'wait 5'],
  );
});
