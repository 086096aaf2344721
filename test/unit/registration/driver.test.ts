import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayerError } from '../../../electron/errors.ts';
import { createRegistrationDriver, type RegistrationPorts } from '../../../electron/registration/driver.ts';
import type { IssuedCertificate, Registration } from '../../../electron/registration/machine.ts';
import type { PollReply } from '../../../electron/registration/server.ts';
import { recordedLog } from '../../support/recorded-log.ts';
import { silentLog } from '../../support/silent-log.ts';

const accepted = {
  id: 'r1',
  pin: 'K7Q4M2',
  ticket: 'secret',
  expiresAtMs: 1e15,
  pollIntervalMs: 5_000,
  hardware: null,
};
const issued: IssuedCertificate = { certificate: 'C', chain: [], screenId: 's1', screenName: 'Lobby' };

/** A world that answers from a script and writes down what was done to it, in order. */
function world(replies: (PollReply | Error)[], overrides: Partial<RegistrationPorts> = {}) {
  const done: string[] = [];
  let nowMs = 0;
  const ports: RegistrationPorts = {
    register: async () => {
      done.push('register');
      return accepted;
    },
    poll: async () => {
      done.push('poll');
      const reply = replies.shift();
      if (reply === undefined || reply instanceof Error) throw reply ?? new Error('script ended');
      return reply;
    },
    storeCertificate: async () => {
      done.push('store');
      return 'stored';
    },
    forgetContent: async () => void done.push('forget'),
    persist: async (registration) => void done.push(`persist ${registration.state}`),
    publish: (registration) => void done.push(`publish ${registration.state}`),
    report: (problem) => void (problem === null || done.push('report')),
    wait: async (ms) => {
      nowMs += ms;
      done.push(`wait ${ms}`);
    },
    backoff: (attempt) => 100 + attempt,
    now: () => nowMs,
    log: silentLog,
    ...overrides,
  };
  return { ports, done };
}

const run = async (initial: Registration, ports: RegistrationPorts) => {
  const driver = createRegistrationDriver(initial, ports);
  await driver.untilRegistered(new AbortController().signal);
  return driver;
};

test('persists every state before it is shown, from nothing to registered', async () => {
  const { ports, done } = world([{ status: 'pending' }, { status: 'issued', issued }]);
  await run({ state: 'unregistered' }, ports);
  assert.deepEqual(done, [
    'register',
    'persist pending',
    'publish pending',
    'wait 5000',
    'poll',
    'wait 5000',
    'poll',
    'store',
    'persist registered',
    'publish registered',
  ]);
});

test('a restart while pending asks for the same registration again and shows no new PIN', async () => {
  const { ports, done } = world([{ status: 'issued', issued }]);
  await run({ state: 'pending', ...accepted }, ports);
  assert.equal(done.includes('register'), false);
});

test('an expired PIN is replaced and the new one is claimed', async () => {
  const { ports, done } = world([{ status: 'expired' }, { status: 'issued', issued }]);
  await run({ state: 'pending', ...accepted }, ports);
  assert.deepEqual(
    done.filter((step) => step === 'register' || step === 'poll'),
    ['poll', 'register', 'poll'],
  );
});

test('a refused certificate is not kept, and the screen asks anew after a pause', async () => {
  const verdicts = ['untrusted', 'stored'] as const;
  let call = 0;
  const { ports, done } = world(
    [
      { status: 'issued', issued },
      { status: 'issued', issued },
    ],
    { storeCertificate: async () => verdicts[call++] ?? 'stored' },
  );
  await run({ state: 'pending', ...accepted }, ports);
  assert.ok(done.indexOf('persist refused') < done.indexOf('register'));
});

test('a server that cannot be reached is reported and tried again with back-off', async () => {
  const away = new PlayerError('CONNECTION_FAILED', 'away');
  const { ports, done } = world([away, away, { status: 'issued', issued }]);
  await run({ state: 'pending', ...accepted }, ports);
  assert.deepEqual(
    done.filter((step) => step.startsWith('wait') || step === 'report'),
    ['report', 'wait 100', 'report', 'wait 101'],
  );
});

test('a fault of the program itself is not swallowed', async () => {
  const { ports } = world([new TypeError('wrong program')]);
  await assert.rejects(run({ state: 'pending', ...accepted }, ports), { code: 'INTERNAL' });
});

test('a disk that cannot be written stops the screen from showing what it would forget', async () => {
  const full = new PlayerError('STATE_UNWRITABLE', 'full');
  const { ports, done } = world([], {
    persist: async () => {
      throw full;
    },
  });
  await assert.rejects(run({ state: 'unregistered' }, ports), full);
  assert.equal(
    done.some((step) => step.startsWith('publish')),
    false,
  );
});

test('a removed screen forgets its content once, and before anything is written down', async () => {
  const { ports, done } = world([]);
  const driver = createRegistrationDriver(
    { state: 'registered', screenId: 's', screenName: 'n', suspendedSinceMs: null, hardware: null },
    ports,
  );
  await driver.tell({ type: 'removed' });
  assert.deepEqual(done, ['forget', 'persist unregistered', 'publish unregistered']);
});

test('a whole registration, with its failures, writes neither PIN nor ticket nor certificate to the log', async () => {
  const { log, lines, events } = recordedLog();
  const secret = { ...accepted, ticket: 'hush-hush' };
  const badReply = new PlayerError(
    'SERVER_REPLY_INVALID',
    'the reply is not JSON',
    new SyntaxError('"K7Q4M2" hush-hush'),
  );
  const verdicts = ['usage', 'stored'] as const;
  let call = 0;
  const { ports } = world(
    [
      badReply,
      { status: 'pending' },
      { status: 'expired' },
      { status: 'issued', issued },
      { status: 'issued', issued },
    ],
    { log, register: async () => secret, storeCertificate: async () => verdicts[call++] ?? 'stored' },
  );
  await run({ state: 'unregistered' }, ports);
  assert.deepEqual([...new Set(events())].sort(), [
    'registration-failed',
    'registration-pending',
    'registration-refused',
    'registration-registered',
    'registration-unregistered',
  ]);
  for (const line of lines) assert.doesNotMatch(line, /K7Q4M2|hush|"C"/);
});

test('a screen that is told the same thing at every sync is written to the disk and to the log once', async () => {
  const { log, lines, events } = recordedLog();
  const { ports, done } = world([], { log });
  const registered: Registration = {
    state: 'registered',
    screenId: 's',
    screenName: 'n',
    suspendedSinceMs: null,
    hardware: null,
  };
  const driver = createRegistrationDriver(registered, ports);
  for (const type of ['restored', 'restored', 'suspended', 'suspended', 'restored', 'restored'] as const)
    await driver.tell({ type });
  assert.deepEqual(done, ['persist registered', 'publish registered', 'persist registered', 'publish registered']);
  assert.deepEqual(events(), ['screen-suspended', 'screen-restored']);
  assert.equal(JSON.parse(lines[0] ?? '').code, 'SCREEN_SUSPENDED');
});

test('ends when it is told to, also within a wait', async () => {
  const end = new AbortController();
  const { ports } = world([], {
    wait: async (_ms, signal) => {
      end.abort();
      signal.throwIfAborted();
    },
  });
  const driver = createRegistrationDriver({ state: 'unregistered' }, ports);
  await assert.rejects(driver.untilRegistered(end.signal), { name: 'AbortError' });
  assert.equal(driver.current.state, 'pending');
});
