import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TssError } from '../../native/error.ts';
import { ProxyAnswer } from '../../native/proxy-answer.ts';

const MOST_BYTES = 16 * 1024;
const RUNS = 3_000;

interface Outcome {
  /** `open`, `waiting`, or the code of the error. */
  readonly state: string;
  /** Bytes taken until then. */
  readonly bytes: number;
}

/** Anything but a TssError passes through and fails the test. */
function outcomeOf(chunks: readonly Buffer[]): Outcome {
  const answer = new ProxyAnswer();
  let bytes = 0;
  for (const chunk of chunks) {
    bytes += chunk.length;
    try {
      if (answer.take(chunk)) return { state: 'open', bytes };
    } catch (thrown) {
      if (!(thrown instanceof TssError)) throw thrown;
      return { state: thrown.code, bytes };
    }
  }
  return { state: 'waiting', bytes };
}

function pieces(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return at.slice(1).map((end, i) => whole.subarray(at[i], end));
}

const word = fc.constantFrom(
  'HTTP/1.1 200 OK',
  'HTTP/1.0 200',
  'HTTP/1.1 103 Early Hints',
  'HTTP/1.1 101 X',
  'HTTP/1.1 407 No',
  'HTTP/1.1 502 ',
  'HTTP/2 200',
  'HTTP/1.1 999 X',
  'HTTP/1.1',
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  '\r',
  ' ',
  '\0',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'x'.repeat(5_000),
);
const something = fc.oneof(
  fc.array(word, { maxLength: 12 }).map((words) => Buffer.from(words.join(''), 'latin1')),
  fc.array(word, { maxLength: 12 }).map((words) => Buffer.from(words.join('\r\n'), 'latin1')),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([Buffer.from('HTTP/1.1 200 '), bytes])),
);
const cuts = fc.array(fc.nat(), { maxLength: 8 });

test('whatever comes, it is an open tunnel, a refusal, a violation, or too little yet', () => {
  const states = new Set<string>();
  fc.assert(
    fc.property(something, cuts, (whole, where) => {
      states.add(outcomeOf(pieces(whole, where)).state);
    }),
    { numRuns: RUNS },
  );
  assert.deepEqual([...states].sort(), ['PROXY_PROTOCOL', 'PROXY_REFUSED', 'open', 'waiting']);
});

test('how an answer is cut into pieces does not change what it means', () => {
  fc.assert(
    fc.property(something, cuts, (whole, where) => {
      const byByte = outcomeOf([...whole].map((byte) => Buffer.of(byte)));
      const cut = outcomeOf(pieces(whole, where));
      // Of bytes behind an answer only those are seen that come in one piece with it.
      const tooMuch = byByte.state === 'open' && cut.bytes > byByte.bytes;
      assert.equal(cut.state, tooMuch ? 'PROXY_PROTOCOL' : byByte.state);
    }),
    { numRuns: RUNS },
  );
});

test('never waits for more than 16 KiB', () => {
  fc.assert(
    fc.property(something, fc.nat(MOST_BYTES), (start, cut) => {
      const whole = Buffer.concat([start, Buffer.alloc(MOST_BYTES + 1, 'x')]);
      const { state } = outcomeOf([whole.subarray(0, cut), whole.subarray(cut)]);
      assert.notEqual(state, 'waiting');
    }),
    { numRuns: RUNS / 10 },
  );
});
