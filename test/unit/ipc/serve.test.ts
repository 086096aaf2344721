import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IpcMain, IpcMainInvokeEvent } from 'electron';
import type { Invokes } from '../../../electron/ipc/contract.ts';
import { present } from '../../../electron/ipc/presenter.ts';
import { createAllowance, type Handlers, isPage, parseRequest, serveIpc } from '../../../electron/ipc/serve.ts';
import { recordedLog } from '../../support/recorded-log.ts';
import { unknownFacts } from '../../support/screen-facts.ts';

type Frame = { readonly url: string; readonly parent: Frame | null };
type Listener = (event: IpcMainInvokeEvent, ...args: unknown[]) => unknown;
const snapshot = present(unknownFacts);
const page: Frame = { url: 'player://app/index.html', parent: null };

/** An ipcMain that a test can speak to, with handlers that write down what reached them. */
function world(overrides: Partial<Handlers> = {}) {
  const listeners = new Map<string, Listener>();
  const ipcMain = { handle: (channel: string, listener: Listener) => listeners.set(channel, listener) };
  const reached: unknown[] = [];
  const handlers: Handlers = {
    'player:snapshot': () => snapshot,
    'playback:resume': () => null,
    'playback:report': (request) => void reached.push(request),
    'heartbeat:beat': (request) => void reached.push(request),
    'operator:enter': (request) => void reached.push(request),
    'view:prepare': (request) => void reached.push(request),
    'view:reveal': (request) => void reached.push(request),
    'view:release': (request) => void reached.push(request),
    'view:veil': (request) => void reached.push(request),
    ...overrides,
  };
  const { log, lines } = recordedLog();
  serveIpc(ipcMain as unknown as IpcMain, handlers, () => [7, 70], log);
  const send = async (channel: string, args: readonly unknown[], senderFrame: Frame | null = page, id = 7) =>
    listeners.get(channel)?.({ sender: { id }, senderFrame } as unknown as IpcMainInvokeEvent, ...args);
  return { send, reached, lines, channels: [...listeners.keys()] };
}

const channelNames = [
  'heartbeat:beat',
  'operator:enter',
  'playback:report',
  'playback:resume',
  'player:snapshot',
  'view:prepare',
  'view:release',
  'view:reveal',
  'view:veil',
];

const someUuid = '0b9d7a3c-5a2e-4d27-9c58-0f6f4f0f8c11';
const report = { itemId: 'i1', outcome: 'shown' };

test('refuses every frame but the top frame of player://app in our own window', () => {
  const good = { contentsId: 7, frameUrl: 'player://app/index.html', isTopFrame: true };
  assert.equal(isPage(good, 7), true);
  for (const sender of [
    { ...good, contentsId: 8 },
    { ...good, isTopFrame: false },
    { ...good, frameUrl: null },
    { ...good, frameUrl: '' },
    { ...good, frameUrl: 'null' },
    { ...good, frameUrl: 'about:blank' },
    { ...good, frameUrl: 'https://app/index.html' },
    { ...good, frameUrl: 'player://media/index.html' },
    { ...good, frameUrl: 'player://app.evil/index.html' },
    { ...good, frameUrl: 'player://app:1/index.html' },
    { ...good, frameUrl: 'player:app/index.html' },
    { ...good, frameUrl: 'blob:player://app/1' },
    { ...good, frameUrl: 'data:text/html,player://app/' },
    { ...good, frameUrl: 'https://evil.example/?player://app/' },
  ])
    assert.equal(isPage(sender, 7), false, JSON.stringify(sender));
});

test('refuses everybody while there is no page', () => {
  assert.equal(isPage({ contentsId: 7, frameUrl: page.url, isTopFrame: true }, null), false);
});

test('a refused message reaches no handler and is told nothing of the inside', async () => {
  for (const [frame, id] of [
    [null, 7],
    [{ url: page.url, parent: page }, 7],
    [{ url: 'https://evil.example/', parent: null }, 7],
    [page, 8],
  ] as const) {
    const { send, reached, lines } = world();
    for (const channel of channelNames)
      await assert.rejects(send(channel, [report], frame, id), { name: 'Error', message: 'refused' });
    assert.deepEqual([reached, lines.length], [[], channelNames.length]);
  }
});

test('a flood is refused in silence, whatever it says', async () => {
  const { send, reached, lines } = world();
  const flood = (channel: string, args: readonly unknown[]) =>
    Promise.allSettled(Array.from({ length: 1_000 }, () => send(channel, args)));
  for (const { status } of await flood('playback:report', [null])) assert.equal(status, 'rejected');
  assert.ok(lines.length >= 200 && lines.length < 500, `${lines.length} lines`);
  const before = lines.length;
  const answers = await flood('playback:report', [report]);
  const refusals = answers.filter((answer) => answer.status === 'rejected');
  assert.equal(reached.length + refusals.length, 1_000);
  assert.ok(refusals.length > 500, `${refusals.length} refusals`);
  assert.equal(lines.length, before);
  assert.equal(String(refusals[0]?.status === 'rejected' && refusals[0].reason), 'Error: refused');
});

test('a flood of one kind keeps no other from being heard, not even what is shown among what fails', async () => {
  const { send, reached, lines } = world();
  const failed = { itemId: 'i1', outcome: 'failed', reason: 'no-source' };
  for (let at = 0; at < 1_000; at += 1) {
    await send('playback:report', [failed]).catch(() => {});
    await send('view:prepare', [{ playId: someUuid, itemId: 'i' }]).catch(() => {});
  }
  const before = reached.length;
  assert.ok(before < 1_000);
  const beat = { frames: 1, itemId: 'i1', preparingId: null };
  await send('heartbeat:beat', [beat]);
  await send('playback:report', [report]);
  await send('view:reveal', [{ playId: someUuid }]);
  await send('operator:enter', [{ pin: '123456' }]);
  assert.deepEqual(reached.slice(before), [beat, report, { playId: someUuid }, { pin: '123456' }]);
  assert.deepEqual(lines, []);
});

test('the end of a showing is heard in whatever flood; what is no such thing is refused in silence', async () => {
  const { send, reached, lines } = world();
  for (let at = 0; at < 1_000; at += 1) await send('view:release', [{ playId: someUuid }]);
  assert.equal(reached.length, 1_000);
  for (let at = 0; at < 300; at += 1) await assert.rejects(send('view:release', [null]), { message: 'refused' });
  assert.ok(lines.length < 200, `${lines.length} lines`);
  await assert.rejects(send('view:release', [{ playId: someUuid }], page, 8), { message: 'refused' });
  assert.equal(reached.length, 1_000);
});

test('hears 200 messages at once and 40 a second after, and no more', () => {
  let nowMs = 5_000;
  const allowed = createAllowance(() => nowMs);
  const heard = (most: number) => Array.from({ length: most }, allowed).filter(Boolean).length;
  assert.equal(heard(300), 200);
  nowMs += 20;
  assert.equal(heard(10), 0);
  nowMs += 980;
  assert.equal(heard(100), 40);
  nowMs += 3_600_000;
  assert.equal(heard(300), 200, 'a pause saves up no more than a burst');
});

test('an honest page is never refused: beats, reports and questions for a whole day', () => {
  let nowMs = 0;
  const allowed = createAllowance(() => nowMs);
  for (; nowMs < 86_400_000; nowMs += 250) {
    assert.ok(allowed(), 'the beat');
    // Items of one second, each reported and followed by a question for the snapshot.
    if (nowMs % 1_000 === 0) assert.ok(allowed() && allowed(), 'the report');
  }
});

test('a handler’s own fault, now or later, comes out as a plain refusal and is logged', async () => {
  const fault = new Error('/var/lib/secret');
  for (const failing of [() => Promise.reject(fault), () => assert.fail(fault)]) {
    const { send, lines } = world({ 'player:snapshot': failing });
    await assert.rejects(send('player:snapshot', []), { name: 'Error', message: 'refused' });
    assert.match(lines[0] ?? '', /ipc-refused.*INTERNAL/);
  }
});

const refused: readonly [name: string, channel: keyof Invokes, args: readonly unknown[]][] = [
  ['an argument where there is none', 'player:snapshot', [{}]],
  ['null for nothing', 'player:snapshot', [null]],
  ['a second argument', 'playback:report', [report, {}]],
  ['a second argument that is undefined', 'playback:report', [report, undefined]],
  ['nothing at all', 'playback:report', []],
  ['a list', 'playback:report', [[report]]],
  ['a string', 'playback:report', [JSON.stringify(report)]],
  ['an item without a name', 'playback:report', [{ ...report, itemId: '' }]],
  ['an item with too long a name', 'playback:report', [{ ...report, itemId: 'x'.repeat(65) }]],
  ['an item that is no string', 'playback:report', [{ ...report, itemId: { toString: () => 'i1' } }]],
  ['an outcome that nobody knows', 'playback:report', [{ ...report, outcome: 'constructor' }]],
  ['a reason with markup', 'playback:report', [{ ...report, reason: '<b>' }]],
  ['a reason with a line feed', 'playback:report', [{ ...report, reason: 'decode\n' }]],
  ['a reason that is too long', 'playback:report', [{ ...report, reason: 'x'.repeat(33) }]],
  ['a field too many', 'playback:report', [{ ...report, path: '/etc/passwd' }]],
  ['a prototype as a field', 'playback:report', [JSON.parse('{"itemId":"i1","outcome":"shown","__proto__":{"a":1}}')]],
  ['a constructor as a field', 'playback:report', [{ ...report, constructor: {} }]],
  ['fields that are only inherited from an array', 'playback:report', [Object.assign([], report)]],
  ['a negative count of frames', 'heartbeat:beat', [{ frames: -1, itemId: null, preparingId: null }]],
  ['half a frame', 'heartbeat:beat', [{ frames: 0.5, itemId: null, preparingId: null }]],
  ['no number of frames', 'heartbeat:beat', [{ frames: Number.NaN, itemId: null, preparingId: null }]],
  ['endless frames', 'heartbeat:beat', [{ frames: Number.POSITIVE_INFINITY, itemId: null, preparingId: null }]],
  ['frames as a text', 'heartbeat:beat', [{ frames: '1', itemId: null, preparingId: null }]],
  ['a beat without an item', 'heartbeat:beat', [{ frames: 1, preparingId: null }]],
  ['a beat that does not say what is prepared', 'heartbeat:beat', [{ frames: 1, itemId: null }]],
  ['a beat for too long a name', 'heartbeat:beat', [{ frames: 1, itemId: 'x'.repeat(65), preparingId: null }]],
  ['a view by address', 'view:prepare', [{ playId: someUuid, itemId: 'i', url: 'https://a.example/' }]],
  ['a view without an item', 'view:prepare', [{ playId: someUuid }]],
  ['a view of too long a name', 'view:prepare', [{ playId: someUuid, itemId: 'x'.repeat(65) }]],
  ['a showing that is no number', 'view:reveal', [{ playId: '../1' }]],
  ['a release without a showing', 'view:release', [{}]],
  ['half a veil', 'view:veil', [{ veiled: 1 }]],
];

for (const [name, channel, args] of refused)
  test(`refuses ${name} on ${channel}`, async () => {
    assert.throws(() => parseRequest(channel, args), { code: 'IPC_REFUSED' });
    const { send, reached } = world();
    await assert.rejects(send(channel, args), { message: 'refused' });
    assert.deepEqual(reached, []);
  });

test('serves the channels of the contract and no other', () => {
  assert.deepEqual(world().channels.sort(), channelNames);
});

test('hands well-formed requests to their handlers and their replies back', async () => {
  const { send, reached } = world();
  assert.equal(await send('player:snapshot', []), snapshot);
  assert.equal(await send('player:snapshot', [undefined]), snapshot);
  await send('playback:report', [{ ...report, outcome: 'failed', reason: 'decode' }]);
  await send('heartbeat:beat', [{ frames: 12, itemId: null, preparingId: null }]);
  assert.deepEqual(reached, [
    { itemId: 'i1', outcome: 'failed', reason: 'decode' },
    { frames: 12, itemId: null, preparingId: null },
  ]);
});

test('refuses a PIN that is not 4 to 12 digits, and says of none what becomes of it', async () => {
  for (const pin of ['', '123', '1234567890123', '12 34', '１２３４', 'abcd', 1234, null])
    assert.throws(() => parseRequest('operator:enter', [{ pin }]), { code: 'IPC_REFUSED' });
  assert.throws(() => parseRequest('operator:enter', [{ pin: '123456', extra: 1 }]), { code: 'IPC_REFUSED' });
  const { send, lines } = world({ 'operator:enter': () => undefined });
  assert.equal(await send('operator:enter', [{ pin: '123456' }]), undefined);
  assert.equal(JSON.stringify(lines).includes('123456'), false);
});
