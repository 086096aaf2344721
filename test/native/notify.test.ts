import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { notify, TssError } from 'node-tss';

/** A service manager in another language: binds, says so, and prints the datagrams that it gets, one a line. */
const manager = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind("\\0" + name[1:] if name.startswith("@") else name)
print("bound", flush=True)
while True:
    print(s.recv(8192).decode().replace("\\n", "|"), flush=True)
`;

async function startManager(name: string) {
  const child: ChildProcess = spawn('python3', ['-c', manager, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  const lines = async (count: number) => {
    while (text.split('\n').length <= count) await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
    return text.trim().split('\n');
  };
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await lines(1);
  const stop = async () => {
    child.kill('SIGKILL');
    await once(child, 'close');
  };
  return { lines, stop };
}

const failsWith = (code: string) => (thrown: unknown) => thrown instanceof TssError && thrown.code === code;

test('a service manager gets each message whole, by a path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'signet-notify-'));
  const name = join(folder, 'socket');
  const { lines, stop } = await startManager(name);
  notify(name, 'READY=1\nSTATUS=playing “été”');
  notify(name, 'WATCHDOG=1');
  assert.deepEqual((await lines(3)).slice(1), ['READY=1|STATUS=playing “été”', 'WATCHDOG=1']);
  await stop();
  assert.throws(() => notify(name, 'WATCHDOG=1'), failsWith('CONNECTION_FAILED'));
  await rm(folder, { recursive: true });
});

test('a service manager gets a message by an abstract name, which has no file', async () => {
  const name = `@signet-notify-${process.pid}`;
  const { lines, stop } = await startManager(name);
  notify(name, 'WATCHDOG=1');
  assert.equal((await lines(2))[1], 'WATCHDOG=1');
  await stop();
  assert.throws(() => notify(name, 'WATCHDOG=1'), failsWith('CONNECTION_FAILED'));
});

for (const name of ['', '@', 'relative', '/x\0y', `/${'x'.repeat(107)}`, `@${'x'.repeat(107)}`])
  test(`refuses ${JSON.stringify(name.slice(0, 12))} as a socket`, () => {
    assert.throws(() => notify(name, 'READY=1'), failsWith('ARGUMENT_INVALID'));
  });

test('refuses an empty message, one that is too long, and what is no text', () => {
  for (const state of ['', 'x'.repeat(4_097), undefined as unknown as string])
    assert.throws(() => notify('/run/none', state), failsWith('ARGUMENT_INVALID'));
  assert.throws(() => notify(7 as unknown as string, 'x'), failsWith('ARGUMENT_INVALID'));
});
