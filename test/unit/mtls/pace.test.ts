import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { atPace } from '../../../electron/mtls/pace.ts';

/** A body whose chunks take a while to come, on a clock that moves by hand. */
function world(chunkBytes: number, waitMs: number, workMs = 0) {
  let nowMs = 0;
  const body = (async function* () {
    for (let chunk = 0; chunk < 100; chunk++) {
      nowMs += waitMs;
      yield new Uint8Array(chunkBytes);
    }
  })();
  const read = async () => {
    let bytes = 0;
    for await (const { length } of atPace(body, () => nowMs, null)) {
      bytes += length;
      nowMs += workMs;
    }
    return bytes;
  };
  return read();
}

test('gives up a host that trickles', async () => {
  await assert.rejects(world(1_000, 1_000), { code: 'CONNECTION_TIMEOUT' });
});

test('bears a host that is slow but moves', async () => {
  assert.equal(await world(5_000, 1_000), 500_000);
});

test('does not blame the host for our own slow disk', async () => {
  assert.equal(await world(1_000, 1, 10_000), 100_000);
});

/**
 * A body that stands still after its first chunk, for so many seconds.
 * @param busy whether the reader is still at that chunk
 * @returns how often it was told to give way
 */
async function stillFor(test: TestContext, seconds: number, othersWait: boolean, busy = false): Promise<number> {
  test.mock.timers.enable({ apis: ['setInterval'] });
  let [nowMs, gaveWay] = [0, 0];
  const body = new PassThrough();
  body.write('first');
  const others = {
    wait: () => othersWait,
    giveWay: () => {
      gaveWay++;
      body.destroy(new Error('gave way'));
    },
  };
  const chunks = atPace(body, () => nowMs, others);
  await chunks.next();
  const next = busy ? null : chunks.next().catch(() => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  for (let second = 0; second < seconds; second++) {
    nowMs += 1_000;
    test.mock.timers.tick(1_000);
  }
  body.destroy();
  await next;
  await chunks.return(undefined).catch(() => undefined);
  nowMs += 60_000;
  test.mock.timers.tick(60_000);
  return gaveWay;
}

test('a body that stands still gives way to those that wait', async (t) => {
  assert.equal(await stillFor(t, 15, true), 1);
});

test('a body that stood still for less, or that nobody waits for, may stay', async (t) => {
  assert.equal(await stillFor(t, 14, true), 0);
  t.mock.timers.reset();
  assert.equal(await stillFor(t, 50, false), 0);
});

test('does not give way for our own slow disk', async (t) => {
  assert.equal(await stillFor(t, 50, true, true), 0);
});
