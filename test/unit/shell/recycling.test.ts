import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dueForMs, isOccasion, pssOf } from '../../../electron/shell/recycling.ts';

const bounds = { recycleAfterHours: 24, recycleAboveMegabytes: 1_024 };
const hourMs = 3_600_000;

test('a page is replaced after a day, or when it has grown beyond its bound', () => {
  assert.equal(dueForMs({ ageMs: 23 * hourMs, megabytes: 1_000 }, 0, bounds), null);
  assert.equal(dueForMs({ ageMs: 25 * hourMs, megabytes: 1_000 }, 0, bounds), hourMs);
  assert.equal(dueForMs({ ageMs: hourMs, megabytes: 1_025 }, 5_000, bounds), 5_000);
});

test('a page that is large from the beginning is not replaced all the time', () => {
  assert.equal(dueForMs({ ageMs: 9 * 60_000, megabytes: 4_000 }, 9 * 60_000, bounds), null);
});

test('a picture is the occasion; after half an hour without one, anything', () => {
  assert.equal(isOccasion(null, true), false);
  assert.equal(isOccasion(0, false), false);
  assert.equal(isOccasion(0, true), true);
  assert.equal(isOccasion(31 * 60_000, false), true);
});

test('memory is read from the kernel’s own sum', () => {
  assert.equal(pssOf('00400000-7ffe r\nRss:   999999 kB\nPss:   20480 kB\nPss_Dirty: 1 kB\n'), 20);
  assert.equal(pssOf(''), 0);
});
