import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { putAside, readPrivateFile, removeFile, writePrivateFile } from '../../../electron/private-file.ts';
import type { Registration } from '../../../electron/registration/machine.ts';
import { loadRegistration, saveRegistration } from '../../../electron/registration/state-file.ts';
import { recordedLog } from '../../support/recorded-log.ts';
import { silentLog } from '../../support/silent-log.ts';

const folder = await mkdtemp(join(tmpdir(), 'signet-registration-'));
after(() => rm(folder, { recursive: true }));

const pending = {
  state: 'pending',
  id: 'r1',
  pin: 'K7Q4M2',
  ticket: 'hush',
  expiresAtMs: 1,
  pollIntervalMs: 2,
  hardware: { verified: false, code: 'attestation-absent' },
} as const;
const states: readonly Registration[] = [
  { state: 'unregistered' },
  pending,
  { state: 'registered', screenId: 's1', screenName: 'Lobby', suspendedSinceMs: 5, hardware: null },
  { state: 'refused', reason: 'key-mismatch', retryAtMs: 5 },
];

for (const [name, text] of [
  ['empty', ''],
  ['cut off', JSON.stringify(pending).slice(0, -1)],
  ['no object', 'null'],
  ['of an unknown state', '{"state":"root"}'],
  ['without its ticket', JSON.stringify({ ...pending, ticket: undefined })],
  ['of wrong types', JSON.stringify({ ...pending, expiresAtMs: '1' })],
  ['far too long', `${JSON.stringify(pending)}${' '.repeat(2 ** 20)}`],
] as const)
  test(`a state file that is ${name} counts as unregistered and is reported, without its secrets`, async () => {
    const file = join(folder, 'damaged.json');
    await writeFile(file, text);
    const { log, lines } = recordedLog();
    assert.deepEqual(await loadRegistration(file, log), { state: 'unregistered' });
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /registration-state-damaged.*STATE_CORRUPT/);
    assert.doesNotMatch(lines[0] ?? '', /K7Q4M2|hush/);
  });

test('a state that cannot be read at all is not taken for unregistered', async () => {
  const file = join(folder, 'a-folder.json');
  await mkdir(file);
  await assert.rejects(loadRegistration(file, silentLog), { code: 'STATE_UNWRITABLE' });
});

test('a state that cannot be written is an error with the file in it', async () => {
  const file = join(folder, 'absent', 'registration.json');
  await assert.rejects(saveRegistration(file, pending), (thrown: Error & { code?: string }) => {
    assert.equal(thrown.code, 'STATE_UNWRITABLE');
    return thrown.message.includes(file) && thrown.message.includes('ENOENT') && !thrown.message.includes('hush');
  });
});

test('no file means unregistered, and that is nothing to report', async () => {
  const { log, lines } = recordedLog();
  assert.deepEqual(await loadRegistration(join(folder, 'none.json'), log), { state: 'unregistered' });
  assert.deepEqual(lines, []);
});

test('every state comes back as it was, readable by the player alone', async () => {
  const file = join(folder, 'registration.json');
  for (const state of states) {
    await saveRegistration(file, state);
    assert.deepEqual(await loadRegistration(file, silentLog), state);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  }
});

test('a file that others could read is closed to them by the next writing', async () => {
  const file = join(folder, 'open.json');
  await writeFile(file, 'old', { mode: 0o666 });
  await writePrivateFile(file, 'new');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await readPrivateFile(file))?.toString(), 'new');
});

test('what is put aside keeps its content, and what is not there needs neither', async () => {
  const file = join(folder, 'key.pem');
  await writePrivateFile(file, 'blob');
  await putAside(file, 'lost-5');
  await putAside(file, 'lost-6');
  await removeFile(file);
  assert.equal((await readPrivateFile(`${file}.lost-5`))?.toString(), 'blob');
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('key.pem')),
    ['key.pem.lost-5'],
  );
});

test('a state of a version that knew nothing of the hardware is read', async () => {
  const file = join(folder, 'earlier.json');
  const { hardware: _, ...earlier } = pending;
  await writeFile(file, JSON.stringify(earlier));
  assert.deepEqual(await loadRegistration(file, silentLog), { ...pending, hardware: null });
});

test('what a later version has added to a state is kept, and what is known is still checked', async () => {
  const file = join(folder, 'later.json');
  const hardware = { verified: true, manufacturer: 'IFX', model: 'SLB9672', later: 1 };
  for (const state of states) {
    const later: object = { ...state, ...('hardware' in state ? { hardware } : {}), later: { a: [1] } };
    await writeFile(file, JSON.stringify(later));
    const read = await loadRegistration(file, silentLog);
    await saveRegistration(file, read);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), later);
  }
  await writeFile(file, JSON.stringify({ ...pending, hardware: { verified: true, later: 1 } }));
  assert.deepEqual(await loadRegistration(file, silentLog), { state: 'unregistered' });
});
