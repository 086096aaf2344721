import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayerError } from '../../../electron/errors.ts';
import { createLog, type LogFields } from '../../../electron/log.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const record = (line: string | undefined) => JSON.parse(line ?? '') as Record<string, unknown>;

test('a field that is not on the list never appears', () => {
  const { log, lines } = recordedLog();
  const fields = {
    itemId: 'i1',
    pin: 'K7Q4M2',
    ticket: 'S',
    authorization: 'S',
    headers: { a: 'S' },
    constructor: 'S',
  };
  log.info('event', fields as LogFields);
  log.failure('event', new Error('x'), fields as LogFields);
  for (const line of lines) assert.doesNotMatch(line, /K7Q4M2|"S"|pin|ticket|constructor/);
  assert.deepEqual(Object.keys(record(lines[0])), ['time', 'level', 'event', 'itemId']);
});

test('a field cannot take the place of time, level or event', () => {
  const { log, lines } = recordedLog();
  log.info('event', { time: 'x', level: 'x', event: 'x' } as LogFields);
  assert.deepEqual(record(lines[0]), { time: '1970-01-01T00:00:00.000Z', level: 'info', event: 'event' });
});

test('a text that could not be parsed is not quoted: it may hold a PIN or a ticket', () => {
  const { log, lines } = recordedLog();
  for (const reply of ['{"pin":"K7Q4M2",}', '{"poll_token":"hush', 'hush', '{"a": hush}'])
    try {
      JSON.parse(reply);
    } catch (cause) {
      log.failure('registration-failed', new PlayerError('SERVER_REPLY_INVALID', 'the reply is not JSON', cause));
      log.failure('registration-failed', cause);
    }
  assert.equal(lines.length, 8);
  for (const line of lines) assert.doesNotMatch(line, /K7Q4M2|hush|poll_token|pin/);
});

test('a value cannot begin a line of its own', () => {
  const { log, lines } = recordedLog();
  log.warn('event', { reason: 'a\n{"event":"forged"}\r\u2028' });
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0] ?? '', /[\n\r]/);
});

test('a value without end is cut', () => {
  const { log, lines } = recordedLog();
  log.failure('event', new Error('x'.repeat(1e6)));
  assert.ok((lines[0] ?? '').length < 2_200);
});

test('what is below the level is not written', () => {
  const { log, events } = recordedLog('warn');
  log.debug('debug');
  log.info('info');
  log.warn('warn');
  log.error('error');
  log.failure('failure', null);
  assert.deepEqual(events(), ['warn', 'error', 'failure']);
});

test('a failure is written with its code and the messages of its causes', () => {
  const { log, lines } = recordedLog();
  const cause = new Error('inner', { cause: new Error('innermost') });
  log.failure('event', new PlayerError('TPM_ABSENT', 'outer', cause), { attempt: 2 });
  const { code, message, attempt } = record(lines[0]);
  assert.deepEqual([code, message, attempt], ['TPM_ABSENT', 'outer <- inner <- innermost', 2]);
});

test('causes that go round in a circle, and thrown values that are no errors, are written too', () => {
  const { log, lines } = recordedLog();
  const circle = new Error('round');
  circle.cause = circle;
  log.failure('event', circle);
  log.failure('event', 'text');
  log.failure('event', undefined);
  assert.deepEqual(
    lines.map((line) => record(line)['message']),
    [Array(5).fill('round').join(' <- '), 'text', 'undefined'],
  );
});

test('every line is one JSON object with its instant', () => {
  const lines: string[] = [];
  createLog(
    (line) => lines.push(line),
    'info',
    () => 1_795_348_800_000,
  ).info('player-started', { version: '1.0.0' });
  assert.deepEqual(lines, [
    '{"time":"2026-11-22T12:00:00.000Z","level":"info","event":"player-started","version":"1.0.0"}',
  ]);
});
