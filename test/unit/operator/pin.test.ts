import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isOperatorPin } from '../../../electron/operator/pin.ts';

const chord = 'Control+Alt+Shift+O';
const folder = await mkdtemp(join(tmpdir(), 'signet-pin-'));
after(() => rm(folder, { recursive: true }));

async function pinFile(text: string, mode = 0o640): Promise<string> {
  const file = join(folder, `pin-${text.length}-${mode}`);
  await writeFile(file, text);
  await chmod(file, mode);
  return file;
}

const unusable = (reason: RegExp) => (thrown: Error & { code?: string }) => {
  assert.equal(thrown.code, 'SETTINGS_INVALID');
  assert.match(thrown.message, reason);
  assert.doesNotMatch(thrown.message, /271828|31415/);
  return true;
};

for (const mode of [0o644, 0o666, 0o660, 0o641])
  test(`refuses a PIN file of mode ${mode.toString(8)}, also for the right PIN`, async () => {
    const file = await pinFile('271828\n', mode);
    await assert.rejects(isOperatorPin('271828', { chord, pinFile: file }), unusable(/chmod 0640/));
  });

for (const [what, text] of [
  ['five digits', '31415\n'],
  ['words', 'password\n'],
  ['two lines', '271828\n271828\n'],
  ['nothing', ''],
  ['more than 512 bytes', '2'.repeat(513)],
] as const)
  test(`refuses a PIN file that holds ${what}`, async () => {
    const file = await pinFile(text);
    await assert.rejects(isOperatorPin('271828', { chord, pinFile: file }), unusable(/operator PIN: /));
  });

test('refuses a PIN file that is not there', () =>
  assert.rejects(isOperatorPin('271828', { chord, pinFile: join(folder, 'none') }), unusable(/ENOENT/)));

test('knows the PIN of a file, and no other', async () => {
  const file = await pinFile('271828\n');
  assert.equal(await isOperatorPin('271828', { chord, pinFile: file }), true);
  for (const pin of ['271829', '2718281', '27182', '000000'])
    assert.equal(await isOperatorPin(pin, { chord, pinFile: file }), false);
});

test('no PIN is the operator’s where the settings name none', async () => {
  assert.equal(await isOperatorPin('271828', { chord }), false);
});

test('knows the PIN of a hash that the tool has made, in the settings or in the file, and no other', async () => {
  const { stdout } = spawnSync(process.execPath, ['build/operator-pin.mjs'], { input: '271828\n', encoding: 'utf8' });
  const hash = stdout.trim();
  assert.match(hash, /^\$scrypt\$ln=15,r=8,p=1\$/);
  assert.equal(await isOperatorPin('271828', { chord, pinHash: hash }), true);
  assert.equal(await isOperatorPin('271829', { chord, pinHash: hash }), false);
  assert.equal(await isOperatorPin('271828', { chord, pinFile: await pinFile(`${hash}\n`) }), true);
});

test('the tool makes no hash of what is no PIN', () => {
  const { status, stdout } = spawnSync(process.execPath, ['build/operator-pin.mjs'], {
    input: '12345\n',
    encoding: 'utf8',
  });
  assert.notEqual(status, 0);
  assert.equal(stdout.includes('$scrypt'), false);
});

for (const hash of [
  '$scrypt$ln=15,r=8,p=1$AAAA$AAAA',
  `$scrypt$ln=30,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$${'A'.repeat(43)}`,
  '$scrypt$',
])
  test(`refuses the hash ${hash.slice(0, 24)}…`, () =>
    assert.rejects(isOperatorPin('271828', { chord, pinHash: hash }), unusable(/neither digits nor a scrypt hash/)));
