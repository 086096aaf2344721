import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { holdStateFolder } from '../../../electron/shell/single-instance.ts';

test('refuses a second player on the same state folder', async () => {
  const folder = `/var/lib/${randomUUID()}`;
  await holdStateFolder(folder);
  await assert.rejects(holdStateFolder(folder), (thrown: Error & { code?: string }) => {
    assert.equal(thrown.code, 'STATE_LOCKED');
    return thrown.message.includes(folder);
  });
  await holdStateFolder(`/var/lib/${randomUUID()}`);
});

test('a player that was killed lets go of its folder', async () => {
  const folder = `/var/lib/${randomUUID()}`;
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
