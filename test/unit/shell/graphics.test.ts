import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  atLoss,
  atStart,
  type GraphicsRecord,
  noLosses,
  readGraphicsRecord,
} from '../../../electron/shell/graphics.ts';

const hourMs = 3_600_000;

function lose(count: number, everyMs: number, from: GraphicsRecord = noLosses) {
  let record = from;
  const left: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const next = atLoss(record, at * everyMs);
    record = next.record;
    if (next.leave) left.push(at + 1);
  }
  return { record, left };
}

test('six losses within ten minutes make the next start draw in software', () => {
  assert.equal(atStart(lose(5, 1_000).record, 10_000).software, false);
  assert.equal(atStart(lose(6, 1_000).record, 10_000).software, true);
});

test('losses that are hours apart never do', () => {
  const { record, left } = lose(1_000, hourMs);
  assert.deepEqual([record.softwareSinceMs, record.lossesMs.length, left], [null, 1, []]);
});

test('twenty losses in a row are lived through, the thirtieth ends the player', () => {
  assert.deepEqual(lose(29, 1_000).left, []);
  assert.deepEqual(lose(30, 1_000).left, [30]);
});

test('the hardware is tried again after a week, with a clean record', () => {
  const { record } = lose(6, 1_000);
  assert.equal(atStart(record, 6 * 24 * hourMs).software, true);
  assert.deepEqual(atStart(record, 8 * 24 * hourMs), { record: noLosses, software: false });
});

test('a clock that was set back does not keep it in software for years', () => {
  const record = { lossesMs: [], softwareSinceMs: Date.parse('2038-01-01') };
  assert.equal(atStart(record, Date.parse('2026-11-26')).software, false);
});

test('a record is read as it was written, and a damaged one is none', () => {
  const { record } = lose(7, 1_000);
  assert.deepEqual(readGraphicsRecord(JSON.stringify(record)), record);
  for (const text of [
    '',
    '{',
    'null',
    '7',
    '{"lossesMs":"x"}',
    '{"lossesMs":[null]}',
    `{"lossesMs":[${'1,'.repeat(99)}1]}`,
  ])
    assert.deepEqual(readGraphicsRecord(text), noLosses, text);
});
