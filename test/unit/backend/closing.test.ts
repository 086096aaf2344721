import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { startBackend } from '../../backend/backend.ts';

test('the reference server ends though somebody has connected and says nothing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'signet-closing-'));
  t.after(() => rm(folder, { recursive: true }));
  const backend = await startBackend({ stateDirectory: folder });
  const silent = connect(backend.port, '127.0.0.1');
  silent.on('error', () => undefined);
  await once(silent, 'connect');
  const ended = once(silent, 'close');
  await backend.close();
  await ended;
  assert.equal(silent.destroyed, true);
});
