import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRests } from '../../../electron/mtls/rests.ts';

const origin = 'https://media.example';
const file = (name: string | number) => `${origin}/${name}`;
const elsewhere = 'https://other.example/0';

function world() {
  let nowMs = 5_000;
  const rests = createRests(() => nowMs);
  return { rests, pass: (ms: number) => (nowMs += ms) };
}

test('a file whose server asked for a pause rests for so long, and no other file does', () => {
  const { rests, pass } = world();
  rests.refused(file(0), 1_000);
  assert.deepEqual([rests.leftMs(file(0)), rests.leftMs(file(1))], [1_000, 0]);
  pass(999);
  assert.equal(rests.leftMs(file(0)), 1);
  pass(1);
  assert.equal(rests.leftMs(file(0)), 0);
});

test('four files in a row, and their origin rests; another origin does not', () => {
  const { rests, pass } = world();
  for (const name of [0, 1, 2]) rests.refused(file(name), 1_000);
  assert.equal(rests.leftMs(file(9)), 0);
  rests.refused(file(3), 700);
  assert.deepEqual([rests.leftMs(file(9)), rests.leftMs(elsewhere)], [700, 0]);
  pass(700);
  assert.equal(rests.leftMs(file(9)), 0, 'then it is asked anew');
  rests.refused(file(9), 500);
  assert.equal(rests.leftMs(file(8)), 0, 'and the count begins anew');
});

test('a file that comes shows that its server is there', () => {
  const { rests } = world();
  for (const name of [0, 1, 2]) rests.refused(file(name), 1_000);
  rests.answered(file(9));
  rests.refused(file(3), 1_000);
  assert.equal(rests.leftMs(file(8)), 0);
});

test('what asked for a pause is known until it comes, also after the pause', () => {
  const { rests, pass } = world();
  rests.refused(file(0), 1_000);
  pass(2_000);
  assert.deepEqual([rests.hasAsked(file(0)), rests.hasAsked(file(1))], [true, false]);
  rests.answered(file(0));
  assert.equal(rests.hasAsked(file(0)), false);
});

test('no more than a thousand addresses are remembered, the latest', () => {
  const { rests } = world();
  for (let name = 0; name < 3_000; name++) {
    rests.answered(file('fine'));
    rests.refused(file(name), 1_000);
  }
  assert.deepEqual([rests.hasAsked(file(1_999)), rests.hasAsked(file(2_000))], [false, true]);
});
