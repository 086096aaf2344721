import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { boundedText } from '../../../electron/sanitize/text.ts';

describe('boundedText', () => {
  it('removes what turns the reading direction or hides', () => {
    const table: readonly [string, string][] = [
      ['invoice\u202egpj.exe', 'invoicegpj.exe'],
      ['a\u2066b\u2069c\u200e\u200f\u061cd', 'abcd'],
      ['zero\u200bwidth\ufeff', 'zerowidth'],
      ['tag\u{e0041}\u{e007f}', 'tag'],
      ['lone \ud800 surrogate', 'lone surrogate'],
      ['private \ue000', 'private'],
    ];
    for (const [text, expected] of table) assert.equal(boundedText(text), expected);
  });

  it('removes control characters and makes one line of many', () => {
    assert.equal(boundedText('a\0b\u001b[31mred\u0007\u009b2J\r\nnext\u2028line'), 'ab[31mred2J next line');
  });

  it('cuts towers of combining marks', () => {
    assert.ok(boundedText(`Z${'\u0336\u0322'.repeat(300)}algo`).length <= 12);
  });

  it('keeps the texts of all scripts, joiners of letters and emoji included', () => {
    for (const text of ['Grüße, Zoë', 'سلام\u200cها', '👩\u200d👩\u200d👧 family', 'नमस्ते', '東京 6°', 'שלום'])
      assert.equal(boundedText(text), text.normalize('NFC'));
  });

  it('cuts at a whole character', () => {
    assert.equal(boundedText('👩\u200d👧'.repeat(5), 3), `${'👩\u200d👧'.repeat(2)}…`);
    assert.equal(boundedText('abc', 3), 'abc');
  });

  it('is idempotent and bounded, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const once = boundedText(text, 40);
        assert.equal(boundedText(once, 40), once);
        assert.ok([...new Intl.Segmenter('und').segment(once)].length <= 40);
      }),
      { numRuns: 1_000 },
    );
  });
});
