import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readHardware } from '../../../electron/registration/hardware.ts';

const folder = await mkdtemp(join(tmpdir(), 'signet-hardware-'));
after(() => rm(folder, { recursive: true }));

test('a board that says nothing has empty fields', async () => {
  const hardware = await readHardware(join(folder, 'absent'));
  assert.deepEqual(hardware, { manufacturer: '', model: '', serial: '', arch: process.arch });
});

test('what a board says is cut to 128 printable ASCII characters', async () => {
  await writeFile(join(folder, 'sys_vendor'), ' ACME\u0000 \u001b[31mInc\r\n');
  await writeFile(join(folder, 'product_name'), `${'x'.repeat(500)}\n`);
  const { manufacturer, model } = await readHardware(folder);
  assert.deepEqual([manufacturer, model.length], ['ACME [31mInc', 128]);
});
