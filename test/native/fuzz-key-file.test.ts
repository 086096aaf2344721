import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TssError } from 'node-tss';
import { encode, tags } from '../../native/der.ts';
import { readKeyFile, writeKeyFile } from '../../native/key-file.ts';

/** `npm run fuzz` gives more time than `npm test`. */
const seconds = Number(process.env['NODE_TSS_FUZZ_SECONDS'] ?? 0);
const budget =
  seconds > 0
    ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: (seconds * 1000) / 3, markInterruptAsFailure: false }
    : { numRuns: 20_000 };

const LABEL = 'TSS2 PRIVATE KEY';

function pemOf(der: Uint8Array, eol = '\n'): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${LABEL}-----`, ...lines, `-----END ${LABEL}-----`, ''].join(eol);
}

/** Whatever is read is either understood, and then all of it, or refused by a code that names the file. */
function judge(pem: string): void {
  try {
    const blob = readKeyFile(pem);
    assert.ok(Number.isInteger(blob.parent) && blob.parent >= 0 && blob.parent <= 0xffffffff);
    assert.deepEqual(readKeyFile(writeKeyFile(blob)), blob);
  } catch (thrown) {
    assert.equal((thrown as Error).name, 'TssError', String(thrown));
    assert.match((thrown as TssError).code, /^(KEY_INVALID|KEY_AUTH)$/);
  }
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const octets = bytes(300).map((contents) => encode(tags.octets, contents));
const primitive = fc
  .tuple(fc.constantFrom(...Object.values(tags), 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0x1f), bytes(12))
  .map(([tag, contents]) => encode(tag, contents));

/** Key files and what is nearly one: each part present, absent, repeated or of another kind. */
const nearly = fc
  .tuple(
    fc.constantFrom('6781050a0103', '6781050a0104', '6781050a0105', '2a03').map((oid) => Buffer.from(oid, 'hex')),
    fc.array(
      fc.oneof(
        fc.constantFrom(0, 1, 0xff).map((yes) => encode(tags.explicit, encode(tags.boolean, Buffer.from([yes])))),
        primitive,
      ),
      { maxLength: 4 },
    ),
    fc.constantFrom('40000001', '0081000001', '81000001', '01', '').map((hex) => Buffer.from(hex, 'hex')),
    fc.array(fc.oneof({ arbitrary: octets, weight: 4 }, { arbitrary: primitive, weight: 1 }), { maxLength: 4 }),
  )
  .map(([oid, optional, parent, rest]) =>
    encode(tags.sequence, encode(tags.oid, oid), ...optional, encode(tags.integer, parent), ...rest),
  );

interface Damage {
  readonly at: number;
  readonly byte: number;
  readonly kind: 'flip' | 'insert' | 'drop' | 'cut';
}

const damages = fc.array(
  fc.record<Damage>({
    at: fc.nat(700),
    byte: fc.nat(255),
    kind: fc.constantFrom('flip', 'insert', 'drop', 'cut'),
  }),
  { maxLength: 4 },
);

function damaged(der: Buffer, list: readonly Damage[]): Buffer {
  return list.reduce((whole, { at, byte, kind }) => {
    const where = at % (whole.length + 1);
    const [before, after] = [whole.subarray(0, where), whole.subarray(where)];
    if (kind === 'cut') return Buffer.from(before);
    if (kind === 'insert') return Buffer.concat([before, Buffer.from([byte]), after]);
    const changed =
      kind === 'flip' ? Buffer.from(after.subarray(0, 1).map((old) => old ^ (byte || 1))) : Buffer.alloc(0);
    return Buffer.concat([before, changed, after.subarray(1)]);
  }, der);
}

test('refuses damaged key files by a code, and reads no more into them than they hold', () => {
  fc.assert(
    fc.property(nearly, damages, (der, list) => judge(pemOf(damaged(der, list)))),
    budget,
  );
});

test('refuses whatever stands between the two lines of a PEM by a code', () => {
  const line = fc.oneof(
    fc.base64String({ maxLength: 80 }),
    fc.string({ maxLength: 80 }),
    fc.constant(`-----END ${LABEL}-----`),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n', '\r', ''), (lines, eol) =>
      judge([`-----BEGIN ${LABEL}-----`, ...lines, `-----END ${LABEL}-----`].join(eol)),
    ),
    budget,
  );
});

test('reads every key that it writes, however its lines end', () => {
  const handle = fc.oneof(fc.constant(0x40000001), fc.integer({ min: 0x81000000, max: 0x81ffffff }));
  fc.assert(
    fc.property(
      handle,
      bytes(600),
      bytes(600),
      fc.constantFrom('\n', '\r\n'),
      (parent, publicArea, privateArea, eol) => {
        const blob = { parent, publicArea, privateArea };
        assert.deepEqual(readKeyFile(writeKeyFile(blob).replaceAll('\n', eol)), blob);
      },
    ),
    budget,
  );
});
