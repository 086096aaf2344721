import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { finishRekey } from '../../../electron/assembly/rekey.ts';
import type { Settings } from '../../../electron/settings.ts';

const old = { 'device-key.pem': 'old', 'certificate.pem': 'old' };

/** What the folder may hold after a power cut, in the order of the steps, and whose key and certificate then hold. */
const cuts = [
  { after: 'before all', files: old, holds: 'old' },
  { after: 'the next key was made', files: { ...old, 'device-key.next.pem': 'next' }, holds: 'old' },
  {
    after: 'the next certificate came',
    files: { ...old, 'device-key.next.pem': 'next', 'certificate.next.pem': 'next' },
    holds: 'old',
  },
  {
    after: 'the key has gone on',
    files: { ...old, 'device-key.pem': 'next', 'certificate.next.pem': 'next' },
    holds: 'next',
  },
  { after: 'both have gone on', files: { 'device-key.pem': 'next', 'certificate.pem': 'next' }, holds: 'next' },
];

for (const { after, files, holds } of cuts)
  test(`a power cut in a change of the key leaves a key and its own certificate: ${after}`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'signet-rekey-'));
    t.after(() => rm(directory, { recursive: true }));
    for (const [name, whose] of Object.entries(files)) await writeFile(join(directory, name), whose);
    await finishRekey({ state: { directory } } as Settings);
    const left = await Promise.all(
      (await readdir(directory)).sort().map(async (name) => [name, await readFile(join(directory, name), 'utf8')]),
    );
    assert.deepEqual(left, [
      ['certificate.pem', holds],
      ['device-key.pem', holds],
    ]);
  });
