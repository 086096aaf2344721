import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlace } from '../../../electron/assembly/place.ts';

const at = { ms: 0 };
const create = () => createPlace(() => at.ms);

test('a first page begins at the beginning', () => assert.equal(create().resume(), null));

test('after a death the item that was on the display begins anew', () => {
  const place = create();
  place.shown('a');
  place.shown('b');
  at.ms += 700;
  place.died();
  assert.deepEqual(place.resume(), { itemId: 'b', passOver: false, playedMs: 0 });
});

test('an item with which two pages died in a row is passed over', () => {
  const place = create();
  place.shown('b');
  place.died();
  place.shown('b');
  place.died();
  assert.deepEqual(place.resume(), { itemId: 'b', passOver: true, playedMs: 0 });
});

test('a page that dies before it shows anything does not count against the item before', () => {
  const place = create();
  place.shown('b');
  place.died();
  place.died();
  place.died();
  assert.deepEqual(place.resume(), { itemId: 'b', passOver: false, playedMs: 0 });
});

test('an item that was shown to its end between two deaths is not to blame', () => {
  const place = create();
  place.shown('b');
  place.died();
  place.shown('b');
  place.shown('c');
  place.shown('b');
  place.died();
  assert.deepEqual(place.resume(), { itemId: 'b', passOver: false, playedMs: 0 });
});

test('a page that is replaced alive goes on in its item', () => {
  const place = create();
  place.shown('b');
  at.ms += 700;
  assert.deepEqual(place.resume(), { itemId: 'b', passOver: false, playedMs: 700 });
});
