import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, PlayerError, recoveries } from '../../../electron/errors.ts';
import { troubleOf } from '../../../electron/ipc/trouble.ts';

const codes = Object.keys(recoveries) as ErrorCode[];

test('no word of the error itself gets through', () => {
  for (const code of codes) {
    const { code: shown, summary, remedy } = troubleOf(new PlayerError(code, 'SECRET', new Error('SECRET')));
    assert.equal(shown, code);
    assert.equal(`${summary}${remedy}`.includes('SECRET'), false);
  }
});

test('every code has a summary and a remedy, each a short sentence', () => {
  for (const code of codes) {
    const { summary, remedy } = troubleOf(new PlayerError(code, ''));
    for (const text of [summary, remedy]) assert.match(text, /^[A-Z].{10,98}\.$/, code);
  }
});
