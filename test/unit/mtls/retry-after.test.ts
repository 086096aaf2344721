import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfterMs } from '../../../electron/mtls/retry-after.ts';

/** The headers of a reply. */
const headersOf =
  (retryAfter: string | undefined, date?: string) =>
  (name: string): string | undefined =>
    ({ 'retry-after': retryAfter, date })[name];

const nowMs = Date.UTC(2026, 10, 22, 12, 0, 0);

test('reads seconds and dates, honours no more than an hour, and nothing that it does not understand', () => {
  for (const [header, expected] of [
    ['120', 120_000],
    [' 0 ', 0],
    ['31536000', 3_600_000],
    ['999999999999999', 3_600_000],
    ['Sun, 22 Nov 2026 12:00:30 GMT', 30_000],
    ['Sun, 22 Nov 2026 11:00:00 GMT', 0],
    ['Mon, 22 Nov 2027 12:00:00 GMT', 3_600_000],
    [undefined, undefined],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e9', undefined],
    ['tomorrow', undefined],
    ['Sun, 99 Nov 2026 12:00:30 GMT', undefined],
    ['9999999999999999', undefined],
  ] as const)
    assert.equal(retryAfterMs(headersOf(header), nowMs), expected, String(header));
});

test('a date is measured by the clock of the server that wrote it, however wrong ours is', () => {
  const retryAfter = 'Sun, 22 Nov 2026 12:00:30 GMT';
  for (const ourMs of [Date.UTC(2020, 0, 1), nowMs, Date.UTC(2040, 0, 1)]) {
    assert.equal(retryAfterMs(headersOf(retryAfter, 'Sun, 22 Nov 2026 12:00:10 GMT'), ourMs), 20_000);
    assert.equal(retryAfterMs(headersOf(retryAfter, 'Sun, 22 Nov 2026 12:00:31 GMT'), ourMs), 0);
    assert.equal(retryAfterMs(headersOf('7', 'Sun, 22 Nov 2026 12:00:10 GMT'), ourMs), 7_000);
  }
  assert.equal(retryAfterMs(headersOf(retryAfter, 'today'), nowMs), 30_000);
});
