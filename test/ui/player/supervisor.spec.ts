/** What a service manager is told: by the release build, over a socket such as systemd's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, spawnPlayer, test } from './rig.ts';

const manager = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(s.recv(8192).decode().replace("\\n", "|"), flush=True)
`;

test('a service manager hears of the first heartbeat, the states, and the progress of playback', async ({ rig }) => {
  const socket = path.join(rig.folder, 'notify');
  const listener = spawn('python3', ['-c', manager, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const heard: string[] = [];
  createInterface({ input: listener.stdout }).on('line', (line) => heard.push(line));
  await expect.poll(() => heard).toContain('bound');

  const args = ['--settings', await rig.writeSettings()];
  const player = spawnPlayer('release', rig, args, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '3000000' });
  await expect.poll(() => heard[1], { timeout: 60_000 }).toMatch(/^READY=1\|STATUS=(starting|registering)$/);
  await expect.poll(() => rig.backend.pending().length, { timeout: 60_000 }).toBe(1);
  rig.backend.claim(rig.backend.pending()[0]?.pin ?? '', 'Lobby');
  await expect.poll(() => heard, { timeout: 60_000 }).toContain('STATUS=playing');
  const before = heard.length;
  await expect.poll(() => heard.slice(before), { timeout: 60_000 }).toContain('WATCHDOG=1');

  // A main process that stands still says nothing, whatever its page does.
  player.child.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const silent = heard.length;
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  expect(heard.length).toBe(silent);
  player.child.kill('SIGCONT');
  player.child.kill('SIGTERM');
  await player.exited;
  listener.kill();
  await once(listener, 'close');
});
