import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../electron/schedule/expression.ts';
import { localClock } from '../../../electron/schedule/local-clock.ts';
import { parsePredicate } from '../../../electron/schedule/predicate.ts';

interface Vector {
  readonly predicate: string;
  readonly zone: string;
  readonly at: string;
  readonly expect: boolean | 'error';
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(join(process.cwd(), 'test/fixtures/predicates.json'), 'utf8'),
);

function evaluate(predicate: string, zone: string, atMs: number): boolean | 'error' {
  const parsed = parsePredicate(predicate);
  if (!parsed.ok) return 'error';
  return holds(parsed.expression, localClock(zone, { left: 1e6 }).reading(atMs));
}

const refused = (text: string) => {
  const parsed = parsePredicate(text);
  assert.ok(!parsed.ok, `accepted: ${text.slice(0, 80)}`);
  return parsed;
};

describe('predicate', () => {
  it('agrees with every published vector', () => {
    assert.ok(vectors.length >= 60);
    for (const vector of vectors) {
      const { predicate, zone, at, expect } = vector;
      assert.equal(evaluate(predicate, zone, Date.parse(at)), expect, JSON.stringify(vector));
    }
  });

  it('refuses with the position of the first character that cannot be right', () => {
    const table: readonly [string, number][] = [
      ['', 0],
      ['TRUE TRUE', 5],
      ['$WEEKDAY = ', 11],
      ['$HOUR = 3', 0],
      ['$TIME != 3', 6],
      ['$TIME == 3', 7],
      ['$TIME = 1.5', 9],
      ['(TRUE', 5],
      ['TRUE)', 4],
      ['$WEEKDAY IN {1,}', 15],
      ['$TIME BETWEEN {1,2,3}', 18],
      ['$DATE < 9007199254740992', 8],
      ['TRUE\u00a0AND TRUE', 4],
      ['TRUEAND TRUE', 0],
      ['$TIMEBETWEEN{1,2}', 0],
      ['1 < = 2', 4],
      ['３ = 3', 0],
      ['TRUE -- comment', 5],
    ];
    for (const [text, position] of table) assert.equal(refused(text).position, position, text);
  });

  it('refuses a text of more than 4,096 characters and takes one of 4,096', () => {
    assert.equal(refused(`TRUE${' '.repeat(4_093)}`).position, 4_096);
    assert.ok(parsePredicate(`TRUE${' '.repeat(4_092)}`).ok);
  });

  it('refuses nesting above 32, counted over parentheses and NOT together', () => {
    const mixed = (times: number) => `${'NOT ('.repeat(times)}TRUE${')'.repeat(times)}`;
    assert.ok(parsePredicate(mixed(16)).ok);
    refused(mixed(17));
    assert.ok(parsePredicate(Array(100).fill('NOT FALSE').join(' AND ')).ok, 'side by side is not nested');
  });

  it('refuses a list of more than 256 members and takes one of 256', () => {
    const list = (count: number) => `$WEEKDAY IN {${Array(count).fill('1').join(',')}}`;
    assert.ok(parsePredicate(list(256)).ok);
    refused(list(257));
  });

  it('takes keywords in any case and no white space where tokens stay distinct', () => {
    const at = Date.parse('2026-11-20T12:00:00Z'); // a Friday
    for (const text of ['not$weekday=0', '$WeekDay=1or$WEEKDAY=5', '$weekday in{5,6}', '(TRUE)and(true)', '5=$weekday'])
      assert.equal(evaluate(text, 'UTC', at), true, text);
  });

  it('answers at once to texts made to be slow', () => {
    const slow = [
      '('.repeat(4_096),
      'NOT '.repeat(1_024),
      '$'.repeat(4_096),
      `${'TRUE AND '.repeat(455)}!`,
      '9'.repeat(4_096),
    ];
    for (const text of slow) refused(text);
    assert.ok(parsePredicate(`${'TRUE OR '.repeat(500)}FALSE`).ok);
  });

  it('looks at each character a bounded number of times, whatever the text', () => {
    const repeated: readonly string[] = [
      '(',
      'NOT ',
      '$',
      '9',
      'A',
      'TRUE OR ',
      'TRUE AND ',
      '$TIME IN {1,2,3} OR ',
      '<',
      ' ',
      '$WEEKDAY = ',
      '(TRUE) AND ',
      '((1=1) OR NOT (1=1)) AND ',
      'BETWEEN',
      '$TIMETIME',
    ];
    for (const piece of repeated) {
      for (const ending of ['', 'TRUE', '!', ')', '}']) {
        const reads = [1_024, 2_048, 4_096].map((length) => {
          const text = (piece.repeat(length).slice(0, length - ending.length) + ending).slice(-length);
          let count = 0;
          parsePredicate({
            length: text.length,
            charCodeAt: (index) => {
              count++;
              return text.charCodeAt(index);
            },
          });
          assert.ok(count <= 4 * text.length + 8, `${count} looks at ${length} characters of ${piece}`);
          return count;
        });
        assert.ok((reads[2] as number) <= 5 * Math.max(64, reads[0] as number), `${reads} grow faster than the text`);
      }
    }
  });

  it('never throws, whatever the text', () => {
    const pieces = [
      'AND',
      'OR',
      'NOT',
      '(',
      ')',
      '{',
      '}',
      ',',
      '<=',
      '=',
      '$TIME',
      '$DATE',
      'IN',
      'BETWEEN',
      '7',
      ' ',
      'TRUE',
    ];
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        const parsed = parsePredicate(candidate);
        if (!parsed.ok) assert.ok(parsed.position >= 0 && parsed.position <= candidate.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads as it is written: AND binds closer than OR, NOT closest', () => {
    const literal = fc.boolean().map((value) => ({ text: value ? 'TRUE' : 'FALSE', script: String(value) }));
    const { expression } = fc.letrec<{ expression: { text: string; script: string } }>((tie) => {
      const pair = (word: string, sign: string) =>
        fc
          .tuple(tie('expression'), tie('expression'))
          .map(([a, b]) => ({ text: `(${a.text} ${word} ${b.text})`, script: `(${a.script} ${sign} ${b.script})` }));
      const flat = fc
        .array(fc.tuple(literal, fc.constantFrom(['AND', '&&'], ['OR', '||'])), { minLength: 1, maxLength: 6 })
        .map((parts) => ({
          text: `${parts.map(([a, [word]]) => `${a.text} ${word}`).join(' ')} NOT TRUE`,
          script: `(${parts.map(([a, [, sign]]) => `${a.script} ${sign}`).join(' ')} !true)`,
        }))
        .map(({ text, script }) => ({ text: `(${text})`, script }));
      return {
        expression: fc.oneof({ maxDepth: 6 }, literal, flat, pair('AND', '&&'), pair('OR', '||')),
      };
    });
    fc.assert(
      fc.property(expression, ({ text, script }) => {
        assert.equal(evaluate(text, 'UTC', 0), booleanOf(script), text);
      }),
    );
  });
});

/** An independent evaluator: rewrites innermost terms until one word is left. */
function booleanOf(script: string): boolean {
  let text = script.replaceAll(' ', '');
  for (let before = ''; before !== text; ) {
    before = text;
    text = text
      .replaceAll('!true', 'false')
      .replace(/(true|false)&&(true|false)/, (_, a, b) => String(a === 'true' && b === 'true'))
      .replace(/(?<!&&)(?<!!)(true|false)\|\|(true|false)(?!&&)/, (_, a, b) => String(a === 'true' || b === 'true'))
      .replace(/\((true|false)\)/, '$1');
  }
  return text === 'true';
}
