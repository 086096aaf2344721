import assert from 'node:assert/strict';
import { test } from 'node:test';
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
    for await (const { length } of atPace(body, () => nowMs)) {
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
