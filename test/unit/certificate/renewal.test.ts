import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renewalAtMs } from '../../../electron/certificate/renewal.ts';
import { type RenewerPorts, runRenewal } from '../../../electron/certificate/renewer.ts';
import type { DeviceCertificate } from '../../../electron/certificate/store.ts';
import { PlayerError } from '../../../electron/errors.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const hourMs = 3_600_000;
const certificate = (notBeforeMs: number, notAfterMs: number): DeviceCertificate => ({
  chainPem: `${notBeforeMs}`,
  notBeforeMs,
  notAfterMs,
});

type Saved = Awaited<ReturnType<RenewerPorts['store']['save']>>;

/** A world in which every wait passes at once; it ends when the script of answers does. */
function world(present: DeviceCertificate, answers: (Saved | Error)[], pokes: readonly number[] = []) {
  const end = new AbortController();
  const done: string[] = [];
  let nowMs = 0;
  let waits = 0;
  let isAlone = false;
  const ports: RenewerPorts = {
    request: async () => {
      assert.ok(isAlone, 'asks alone');
      done.push(`request at ${nowMs}`);
      if (answers[0] instanceof Error) throw answers.shift();
      return ['PEM'];
    },
    store: {
      load: async () => undefined,
      save: async () => {
        assert.ok(isAlone, 'saves alone');
        return answers.shift() as Saved;
      },
      forget: async () => {},
    },
    // Of one turn of its own: else a change of the key comes between.
    alone: async (work) => {
      isAlone = true;
      return work().finally(() => {
        isAlone = false;
      });
    },
    renewed: ({ chainPem }) => void done.push(`renewed ${chainPem}`),
    wait: async (ms) => {
      assert.ok(ms > 0 && ms <= hourMs, `waits ${ms}`);
      if (answers.length === 0 || waits > 10_000) end.abort();
      end.signal.throwIfAborted();
      if (pokes.includes(waits++)) return 'poked';
      nowMs += ms;
      return 'elapsed';
    },
    backoff: (attempt) => 1_000 * (attempt + 1),
    random: () => 0,
    now: () => nowMs,
    report: (problem) => void done.push(problem === null ? 'well' : `report ${(problem as PlayerError).code}`),
    log: recordedLog().log,
  };
  return { done, end: runRenewal(present, ports, end.signal) };
}

test('never renews before 37/60 or after 2/3 of the life', () => {
  const life = { notBeforeMs: 1_000, notAfterMs: 61_000 };
  assert.equal(renewalAtMs(life, 0), 41_000);
  assert.equal(renewalAtMs(life, 0.999_999), 38_000);
});

test('a refused certificate is reported, not used, and asked for again after a pause', async () => {
  const { done, end } = world(certificate(0, 90 * hourMs), [
    { ok: false, reason: 'key-mismatch' },
    certificate(60 * hourMs, 160 * hourMs),
  ]);
  await assert.rejects(end, { name: 'AbortError' });
  assert.deepEqual(done, [
    `request at ${60 * hourMs}`,
    'report CERTIFICATE_KEY_MISMATCH',
    `request at ${60 * hourMs + 1_000}`,
    'well',
    `renewed ${60 * hourMs}`,
  ]);
});

test('a server out of reach is asked again with growing pauses', async () => {
  const away = () => new PlayerError('CONNECTION_FAILED', 'away');
  const { done, end } = world(certificate(-90 * hourMs, 45 * hourMs - 1), [away(), away(), certificate(0, 9e9)]);
  await assert.rejects(end, { name: 'AbortError' });
  assert.deepEqual(
    done.filter((step) => step.startsWith('request')),
    ['request at 0', 'request at 1000', 'request at 3000'],
  );
});

test('a server that hands out old certificates does not make the renewal spin', async () => {
  const old = certificate(-9 * hourMs, hourMs);
  const { done, end } = world(old, [old, old, old]);
  await assert.rejects(end, { name: 'AbortError' });
  assert.deepEqual(
    done.filter((step) => step.startsWith('request')),
    ['request at 0', 'request at 1000', 'request at 3000'],
  );
});

test('a server that says so gets the request at once', async () => {
  const { done, end } = world(certificate(0, 90 * hourMs), [certificate(1, 100 * hourMs)], [2]);
  await assert.rejects(end, { name: 'AbortError' });
  assert.deepEqual(done, [`request at ${2 * hourMs}`, 'well', 'renewed 1']);
});

test('a server that says so again and again is heard once a minute, and the renewal that is due comes all the same', async () => {
  const fresh = (notBeforeMs: number) => certificate(notBeforeMs, notBeforeMs + 90 * hourMs);
  const everyWaitButTheLast = Array.from({ length: 500 }, (_, wait) => wait);
  const { done, end } = world(fresh(0), [fresh(0), fresh(90 * hourMs)], everyWaitButTheLast);
  await assert.rejects(end, { name: 'AbortError' });
  assert.deepEqual(
    done.filter((step) => step.startsWith('request')),
    ['request at 0', `request at ${60 * hourMs}`],
  );
});

test('a poke within a minute of a failure is not heard: the pause after it stays', async () => {
  const away = new PlayerError('CONNECTION_FAILED', 'away');
  const { done, end } = world(certificate(0, 90 * hourMs), [away, certificate(1, 100 * hourMs)], [0, 1, 2]);
  await assert.rejects(end, { name: 'AbortError' });
  assert.deepEqual(
    done.filter((step) => step.startsWith('request')),
    ['request at 0', 'request at 1000'],
  );
});

test('a poke a minute after the last try is heard', async () => {
  const { done, end } = world(certificate(0, 90 * hourMs), [certificate(0, 90 * hourMs), certificate(1, 9e9)], [0, 2]);
  await assert.rejects(end, { name: 'AbortError' });
  assert.deepEqual(
    done.filter((step) => step.startsWith('request')),
    ['request at 0', `request at ${hourMs}`],
  );
});

test('ends when it is told to, without asking', async () => {
  const { done, end } = world(certificate(0, 90 * hourMs), []);
  await assert.rejects(end, { name: 'AbortError' });
  assert.deepEqual(done, []);
});

test('ends when the certificate has ended, and not a moment before', async () => {
  const away = Array.from({ length: 4_000 }, () => new PlayerError('CONNECTION_FAILED', 'away'));
  const { done, end } = world(certificate(0, 3 * hourMs), away);
  assert.equal(await end, 'lapsed');
  assert.ok(done.length > 10);
});

test('tries the more often the less is left, and at most once a second', async () => {
  const away = Array.from({ length: 4_000 }, () => new PlayerError('CONNECTION_FAILED', 'away'));
  const { done, end } = world(certificate(0, 60_000), away);
  assert.equal(await end, 'lapsed');
  const tries = done
    .flatMap((line) => Number(/^request at (\d+)$/.exec(line)?.[1] ?? Number.NaN))
    .filter(Number.isFinite);
  const pauses = tries.slice(1).map((at, n) => at - (tries[n] ?? 0));
  assert.ok(tries.length >= 8, `${tries.length} tries`);
  assert.ok(
    pauses.every((pause) => pause >= 1_000),
    pauses.join(),
  );
  assert.ok((tries.at(-1) ?? 0) > 58_000, 'also shortly before the end');
});
