import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseByteRange } from '../../../electron/shell/byte-range.ts';

const rows: readonly [header: string | null, sizeBytes: number, expected: ReturnType<typeof parseByteRange>][] = [
  ['bytes=10-', 10, 'unsatisfiable'],
  ['bytes=11-20', 10, 'unsatisfiable'],
  ['bytes=9999999999999999-', 10, 'unsatisfiable'],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=-5', 0, 'unsatisfiable'],
  [null, 10, 'whole'],
  ['', 10, 'whole'],
  ['bytes=', 10, 'whole'],
  ['bytes=-', 10, 'whole'],
  ['bytes=5-3', 10, 'whole'],
  ['bytes=0-1,4-5', 10, 'whole'],
  ['bytes=a-b', 10, 'whole'],
  ['bytes=0x0-0x5', 10, 'whole'],
  ['bytes=-1-5', 10, 'whole'],
  ['bytes=0-5\n', 10, 'whole'],
  ['items=0-5', 10, 'whole'],
  ['bytes=99999999999999999-', 10, 'whole'],
  ['bytes=0-0', 10, { start: 0, end: 0 }],
  ['bytes=0-', 10, { start: 0, end: 9 }],
  ['bytes=9-9', 10, { start: 9, end: 9 }],
  ['bytes=9-', 10, { start: 9, end: 9 }],
  ['bytes=3-100', 10, { start: 3, end: 9 }],
  ['bytes=-3', 10, { start: 7, end: 9 }],
  ['bytes=-100', 10, { start: 0, end: 9 }],
  ['bytes=007-008', 10, { start: 7, end: 8 }],
];

for (const [header, sizeBytes, expected] of rows)
  test(`${JSON.stringify(header)} of ${sizeBytes} bytes is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(parseByteRange(header, sizeBytes), expected);
  });

test('no header whatsoever leads outside the file', () => {
  const digits = fc.stringMatching(/^\d{0,18}$/);
  const header = fc.oneof(
    fc.tuple(digits, digits).map(([first, last]) => `bytes=${first}-${last}`),
    fc.string().map((text) => `bytes=${text}`),
    fc.string(),
  );
  fc.assert(
    fc.property(header, fc.nat(1_000), (text, sizeBytes) => {
      const range = parseByteRange(text, sizeBytes);
      if (typeof range === 'string') return;
      const { start, end } = range;
      assert.ok(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end < sizeBytes);
    }),
    { numRuns: 5_000 },
  );
});
