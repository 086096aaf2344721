import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { holdStateFolder } from '../../../electron/shell/single-instance.ts';

const base = mkdtempSync(join(tmpdir(), 'signet-lock-'));
after(() => rmSync(base, { recursive: true, force: true }));
const stateFolder = () => mkdtempSync(join(base, 'state-'));

test('refuses a second player that spells the same folder otherwise', async () => {
  const folder = stateFolder();
  const link = join(base, 'link');
  symlinkSync(folder, link);
  await holdStateFolder(folder);
  for (const spelling of [`${folder}/`, `${folder}/../${folder.split('/').at(-1)}`, link])
    await assert.rejects(holdStateFolder(spelling), { code: 'STATE_LOCKED' });
});

test('refuses a second player on the same state folder', async () => {
  const folder = stateFolder();
  await holdStateFolder(folder);
  await assert.rejects(holdStateFolder(folder), (thrown: Error & { code?: string }) => {
    assert.equal(thrown.code, 'STATE_LOCKED');
    return thrown.message.includes(folder);
  });
  await holdStateFolder(stateFolder());
});

test('a player that was killed lets go of its folder', async () => {
  const folder = stateFolder();
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 32);
  const script = `require('node:net').createServer().listen('\\0signet-player-${name}', () => console.log('held'))`;
  const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(holder.stdout, 'data');
    await assert.rejects(holdStateFolder(folder), { code: 'STATE_LOCKED' });
  } finally {
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  }
  await holdStateFolder(folder);
});
