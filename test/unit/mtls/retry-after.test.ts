import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfterMs } from '../../../electron/mtls/retry-after.ts';

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
    assert.equal(retryAfterMs(header, nowMs), expected, String(header));
});
