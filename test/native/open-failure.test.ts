import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openTpm } from 'node-tss';
import { openTestTpm } from '../support/tpm-fixture.ts';

interface Handle {
  readonly type: string;
}

/** Handles by which other threads wake the event loop: the bridge of each TPM is one. */
function bridges(): number {
  const { libuv } = process.report.getReport() as unknown as { libuv: readonly Handle[] };
  return libuv.filter(({ type }) => type === 'async').length;
}

/** Handles are closed in a later round of the loop. @returns how many bridges are left above `before` */
async function left(before: number): Promise<number> {
  for (let attempt = 0; attempt < 100 && bridges() > before; attempt++) await delay(20);
  return bridges() - before;
}

test('a TPM that cannot be opened leaves nothing behind in the process', async () => {
  const before = bridges();
  for (let attempt = 0; attempt < 50; attempt++) {
    await assert.rejects(openTpm({ tcti: 'device:/dev/no-such-tpm' }), { code: 'TPM_ABSENT' });
  }
  assert.equal(await left(before), 0);
});

test('a TPM that was closed leaves nothing behind in the process, an open one its bridge', async (t) => {
  const before = bridges();
  const { tpm } = await openTestTpm(t);
  // Were this 0, the count could not fail.
  assert.equal(bridges() - before, 1);
  await tpm.close();
  assert.equal(await left(before), 0);
});
