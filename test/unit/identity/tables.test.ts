/** The tables of README.md beside this file, held against the tests that they name. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const page = readFileSync('test/unit/identity/README.md', 'utf8');

/** Rows of the table below a heading, cell by cell. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.slice(2, -2).split(' | '));
}

interface NamedTest {
  readonly file: string;
  readonly name: string;
}

function namedIn(cell: string | undefined): NamedTest {
  const [, file = '', name = ''] = /^`([^`]+)` "([^"]+)"$/.exec(cell ?? '') ?? [];
  assert.ok(file !== '' && name !== '', `no test in: ${cell}`);
  return { file, name };
}

/** A test's text, up to where the next one begins. */
function textOf({ file, name }: NamedTest): string {
  const text = readFileSync(`test/${file}`, 'utf8');
  const start = ["'", '`', '"'].map((quote) => text.indexOf(`${quote}${name}${quote}`)).find((at) => at >= 0);
  assert.ok(start !== undefined, `${file} has no test "${name}"`);
  const end = text.slice(start).search(/\n *(await t\.)?test\(/);
  return end < 0 ? text.slice(start) : text.slice(start, start + end);
}

const attacks = rowsOf('Attacks').map(([attack, codes = '', named]) => ({
  attack,
  codes: codes.match(/(?<=`)[A-Za-z_-]+(?=`)/g) ?? [],
  test: namedIn(named),
}));

test('each attack’s test is there, and demands the codes of its row', () => {
  assert.ok(attacks.length > 40);
  for (const { attack, codes, test: named } of attacks) {
    assert.ok(codes.length > 0, attack);
    const text = textOf(named);
    for (const code of codes) assert.ok(text.includes(code), `${named.file} "${named.name}" does not speak of ${code}`);
  }
});

test('a row that names no test, or a code that its test does not demand, is noticed', () => {
  assert.throws(() => textOf({ file: 'native/attestation-attacks.test.ts', name: 'refuses nothing' }));
  const text = textOf({ file: 'native/attestation-attacks.test.ts', name: 'refuses the certification of another key' });
  assert.ok(text.includes('ATTEST_NAME') && !text.includes('ATTEST_NONCE'));
});

test('every code of the verifier has an attack', () => {
  const codes = readFileSync('native/attestation/error.ts', 'utf8').match(/(?<=\| ')[A-Z_]+(?=')/g) ?? [];
  assert.ok(codes.length > 15);
  const shown = new Set(attacks.flatMap((row) => row.codes));
  assert.deepEqual(
    codes.filter((code) => !shown.has(code)),
    [],
  );
});

test('every refusal that the verifier’s tests show has a row', () => {
  const listed = new Set(attacks.map((row) => `${row.test.file} ${row.test.name}`));
  for (const name of ['attestation-attacks', 'endorsement-certificates', 'attested-request']) {
    const file = `native/${name}.test.ts`;
    const names = readFileSync(`test/${file}`, 'utf8').matchAll(/t\.test\(\s*'(refuses [^']+)'/g);
    for (const [, refusal] of names) assert.ok(listed.has(`${file} ${refusal}`), `${file} "${refusal}" has no row`);
  }
});

test('the scenarios are those that the player’s suite records, and each one’s test is there', () => {
  const rows = rowsOf('Scenarios').map(([fault = '', , , named]) => ({ fault, test: namedIn(named) }));
  const recorded = readdirSync('test/ui/player')
    .filter((name) => name.endsWith('.spec.ts'))
    .flatMap((name) => [...readFileSync(`test/ui/player/${name}`, 'utf8').matchAll(/scenario\('([^']+)'\)/g)])
    .map(([, fault]) => fault);
  assert.ok(recorded.length > 10);
  assert.deepEqual(rows.map(({ fault }) => fault).sort(), recorded.sort());
  for (const { test: named } of rows) textOf(named);
});
