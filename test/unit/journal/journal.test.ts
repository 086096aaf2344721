import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openJournal, readJournal } from '../../../electron/journal.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const root = await mkdtemp(join(tmpdir(), 'signet-journal-'));
after(() => rm(root, { recursive: true }));

async function folder(name: string): Promise<string> {
  await mkdir(join(root, name));
  return join(root, name);
}

test('what was written is read back in order, by another process as well', async () => {
  const directory = await folder('order');
  let nowMs = Date.UTC(2026, 10, 26);
  const journal = openJournal(directory, () => nowMs++, recordedLog().log);
  await Promise.all([
    journal.write('key-created', { key: 'ab' }),
    journal.write('registration-opened', { key: 'ab', hardware: 'verified: IFX, SLB9672' }),
    journal.write('certificate-stored', { key: 'ab', certificate: 'cd', notAfter: '2027-01-01T00:00:00.000Z' }),
  ]);
  const read = await readJournal(directory, 10);
  assert.deepEqual(
    read.map(({ event }) => event),
    ['key-created', 'registration-opened', 'certificate-stored'],
  );
  assert.deepEqual(read[0], { time: '2026-11-26T00:00:00.000Z', event: 'key-created', key: 'ab' });
  assert.deepEqual((await readJournal(directory, 1))[0]?.event, 'certificate-stored');
  assert.equal((await stat(join(directory, 'identity-journal.jsonl'))).mode & 0o777, 0o600);
});

test('a line that a power cut has left half written is passed over, and the next one stands for itself', async () => {
  for (const end of ['', '\n']) {
    const directory = await folder(`torn-${end.length}`);
    const journal = openJournal(directory, () => 0, recordedLog().log);
    await journal.write('registered');
    const torn = `{"time":"1970-01-01T00:00:00.000Z","event":"susp${end}`;
    await appendFile(join(directory, 'identity-journal.jsonl'), torn);
    await journal.write('restored');
    await journal.write('suspended');
    assert.deepEqual(
      (await readJournal(directory, 10)).map(({ event }) => event),
      ['registered', 'restored', 'suspended'],
    );
    assert.equal((await readFile(join(directory, 'identity-journal.jsonl'), 'utf8')).split('\n').length, 5);
  }
});

test('a line that somebody else has written shows nothing that could not have been ours', async () => {
  const directory = await folder('foreign');
  const foreign = [
    'null',
    '[]',
    '{"time":"yesterday","event":"registered"}',
    '{"time":"2026-11-26T00:00:00Z","event":"a b"}',
  ];
  const odd = '{"time":"2026-11-26T00:00:00Z","event":"registered","key":"\\u001b[31m","token":"x"}';
  await appendFile(join(directory, 'identity-journal.jsonl'), `${[...foreign, odd].join('\n')}\n`);
  assert.deepEqual(await readJournal(directory, 10), [{ time: '2026-11-26T00:00:00Z', event: 'registered' }]);
});

test('has no place for what is not on its list', async () => {
  const directory = await folder('secrets');
  const journal = openJournal(directory, () => 0, recordedLog().log);
  await journal.write('registered', { ticket: 'hush', pin: 'K7Q4M2', reason: 'x'.repeat(1_000) } as object);
  const text = await readFile(join(directory, 'identity-journal.jsonl'), 'utf8');
  assert.doesNotMatch(text, /hush|K7Q4M2/);
  assert.ok(text.length < 300);
});

test('stays within two files of 128 KiB, the older of which gives way', async () => {
  const directory = await folder('long');
  let nowMs = 0;
  const journal = openJournal(directory, () => nowMs++, recordedLog().log);
  const line = '{"time":"1970-01-01T00:00:00.000Z","event":"suspended"}\n';
  const file = join(directory, 'identity-journal.jsonl');
  for (let round = 0; round < 3; round++) {
    await appendFile(file, line.repeat(Math.ceil((129 * 1024) / line.length)));
    await journal.write('registered');
  }
  assert.deepEqual((await readdir(directory)).sort(), ['identity-journal.jsonl', 'identity-journal.jsonl.1']);
  for (const name of await readdir(directory)) assert.ok((await stat(join(directory, name))).size < 140 * 1024);
  const latest = await readJournal(directory, 1);
  assert.equal(latest[0]?.event, 'registered');
});

test('a disk that takes nothing is logged and stops nobody', async () => {
  const { log, events } = recordedLog();
  await openJournal(join(root, 'absent'), () => 0, log).write('registered');
  assert.deepEqual(events(), ['identity-journal-failed']);
});
