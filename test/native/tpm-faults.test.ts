import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { openTpm } from 'node-tss';
import { readKeyFile, writeKeyFile } from '../../native/key-file.ts';
import { startSwtpm } from '../support/swtpm.ts';
import { openTestTpm, tpm2, transientHandles } from '../support/tpm-fixture.ts';

const digest = Buffer.alloc(32, 7);

test('says that there is no TPM where device or socket are missing', async () => {
  for (const tcti of ['device:/dev/no-such-tpm', 'swtpm:path=/nowhere/tpm.sock', 'swtpm:host=127.0.0.1,port=1']) {
    await assert.rejects(openTpm({ tcti }), { name: 'TssError', code: 'TPM_ABSENT', message: /No TPM 2\.0 found/ });
  }
});

test('says that access is denied, not that there is no TPM', {
  skip: process.getuid?.() === 0 && 'root is denied nothing',
}, async (t) => {
  const emulator = await startSwtpm();
  t.after(() => emulator.stop());
  const device = `${emulator.folder}/device`;
  writeFileSync(device, '');
  const socket = `${emulator.folder}/tpm.sock`;
  for (const path of [device, socket]) chmodSync(path, 0);
  for (const tcti of [emulator.tcti, `device:${device}`]) {
    await assert.rejects(openTpm({ tcti }), { code: 'TPM_ACCESS_DENIED', message: /group tss/ });
  }
  // The emulator is asked for left objects when it is stopped.
  chmodSync(socket, 0o600);
});

test('refuses transports that run commands or load libraries by name', async () => {
  for (const tcti of ['cmd:touch /tmp/owned', '/tmp/evil.so:x', 'libtss2-tcti-cmd.so.0:true', '', 'pcap:']) {
    await assert.rejects(openTpm({ tcti }), { code: 'ARGUMENT_INVALID' });
  }
});

test('refuses a device that does not answer as a TPM', async () => {
  await assert.rejects(
    openTpm({ tcti: 'device:/dev/null' }).then((tpm) => tpm.info()),
    { code: 'TPM_CONNECTION' },
  );
});

test('names the parent that a key misses', async (t) => {
  const { tpm } = await openTestTpm(t);
  const pem = writeKeyFile({ ...readKeyFile(await tpm.createKey()), parent: 0x81000001 });
  await assert.rejects(tpm.loadKey(pem), { code: 'PARENT_MISSING', rc: 0x18b, message: /0x81000001/ });
});

test('refuses parents in other hierarchies by name', async (t) => {
  const { tpm } = await openTestTpm(t);
  const blob = readKeyFile(await tpm.createKey());
  for (const parent of [0x40000007, 0x4000000b, 0x4000000c, 0x80000001]) {
    await assert.rejects(tpm.loadKey(writeKeyFile({ ...blob, parent })), { code: 'KEY_INVALID', message: /parent/ });
  }
});

test('refuses key blobs that the TPM or its library cannot parse', async (t) => {
  const { tpm } = await openTestTpm(t);
  const blob = readKeyFile(await tpm.createKey());
  const { publicArea, privateArea } = blob;
  const longer = Buffer.concat([publicArea, Buffer.from([0])]);
  const otherCurve = Buffer.from(publicArea);
  otherCurve.writeUInt16BE(0x0004, otherCurve.indexOf(Buffer.from('00100003', 'hex')) + 2);
  for (const broken of [
    { ...blob, publicArea: longer },
    { ...blob, publicArea: publicArea.subarray(0, 20) },
    { ...blob, publicArea: otherCurve },
    { ...blob, privateArea: Buffer.alloc(0) },
    { ...blob, privateArea: Buffer.alloc(2) },
  ]) {
    await assert.rejects(tpm.loadKey(writeKeyFile(broken)), { code: 'KEY_INVALID' });
  }
  const tampered = Buffer.from(privateArea);
  tampered[tampered.length - 1] = (tampered[tampered.length - 1] ?? 0) ^ 1;
  await assert.rejects(tpm.loadKey(writeKeyFile({ ...blob, privateArea: tampered })), { code: 'KEY_LOST' });
});

test('says that foreign programs hold all object slots, and flushes none of theirs', async (t) => {
  const { tpm, emulator } = await openTestTpm(t);
  const pem = await tpm.createKey();
  await tpm.close();
  for (const name of ['a', 'b', 'c']) tpm2(emulator, 'createprimary', '-G', 'ecc', '-c', name);
  const foreign = transientHandles(emulator);
  assert.equal(foreign.length, 3);
  const crowded = await openTpm({ tcti: emulator.tcti });
  await assert.rejects(crowded.loadKey(pem), { code: 'TPM_SLOTS_FULL', rc: 0x902 });
  await crowded.close();
  assert.deepEqual(transientHandles(emulator), foreign);
  await emulator.stop(foreign);
});

test('puts new keys under the persistent storage root key where there is one', async (t) => {
  const { tpm, emulator } = await openTestTpm(t);
  await tpm.close();
  tpm2(emulator, 'createprimary', '-G', 'ecc256', '-g', 'sha256', '-c', 'srk.ctx');
  tpm2(emulator, 'evictcontrol', '-c', 'srk.ctx', '0x81000001');
  tpm2(emulator, 'flushcontext', '-t');
  const again = await openTpm({ tcti: emulator.tcti });
  t.after(() => again.close());
  const pem = await again.createKey();
  assert.equal(readKeyFile(pem).parent, 0x81000001);
  const key = await again.loadKey(pem);
  assert.ok((await key.sign(digest)).length > 0);
});

test('leaves an RSA key at the place of the storage root key alone', async (t) => {
  const { tpm, emulator } = await openTestTpm(t);
  await tpm.close();
  tpm2(emulator, 'createprimary', '-G', 'rsa2048', '-c', 'srk.ctx');
  tpm2(emulator, 'evictcontrol', '-c', 'srk.ctx', '0x81000001');
  tpm2(emulator, 'flushcontext', '-t');
  const again = await openTpm({ tcti: emulator.tcti });
  t.after(() => again.close());
  assert.equal(readKeyFile(await again.createKey()).parent, 0x40000001);
});

test('reports a TPM that hangs up, each time anew', async (t) => {
  const { tpm, emulator } = await openTestTpm(t);
  await emulator.stop();
  for (const call of [() => tpm.info(), () => tpm.createKey()]) {
    await assert.rejects(call(), { code: 'TPM_ABSENT' });
  }
});

test('does not mistake any TCP service for a TPM', async (t) => {
  const server = createServer((socket) => {
    // The client hangs up on what it hears, at times before all of its own words were read.
    socket.on('error', () => {});
    socket.end('220 mail\r\n');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  await assert.rejects(openTpm({ tcti: `swtpm:host=127.0.0.1,port=${port}` }), { name: 'TssError' });
});
