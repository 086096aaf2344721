/** A PC with a TPM 2.0 and a display, in QEMU: started, looked at, and cut from its power. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Picture, readPpm } from './picture.ts';
import { Guest, JsonLines } from './qmp.ts';

export interface MachineOptions {
  /** Short: UNIX sockets live here. Disk, TPM and pictures stay between two starts. */
  readonly folder: string;
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
  /** `kvm`, or `tcg`: by software. */
  readonly acceleration: string;
}

export interface Machine {
  readonly guest: Guest;
  /** Plug or unplug the network cable. */
  plugNetwork(isPlugged: boolean): Promise<void>;
  /** Keys of its keyboard, pressed together, by QEMU's names (QKeyCode). */
  press(...keys: readonly string[]): Promise<void>;
  /** Move its mouse, by some pixels. */
  movePointer(x: number, y: number): Promise<void>;
  look(): Promise<Picture>;
  /** Save what the display shows, for people. */
  photograph(file: string): Promise<void>;
  /** SIGKILL to QEMU: nothing is flushed that the guest had not flushed. */
  cutPower(): Promise<void>;
  /** What came over the serial line so far. */
  serial(): Promise<string>;
}

const memoryMiB = 2_048;

export async function startMachine(options: MachineOptions): Promise<Machine> {
  const at = (name: string) => path.join(options.folder, name);
  await mkdir(at('tpm'), { recursive: true });
  for (const socket of ['tpm.sock', 'qmp.sock', 'look-in.sock', 'agent.sock']) await rm(at(socket), { force: true });
  const tpm = spawn(
    'swtpm',
    [
      'socket',
      '--tpm2',
      '--tpmstate',
      `dir=${at('tpm')}`,
      '--ctrl',
      `type=unixio,path=${at('tpm.sock')}`,
      '--terminate',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  await appears(at('tpm.sock'), tpm);
  const qemu = spawn('qemu-system-x86_64', words(options, at), { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(qemu, 'exit');
  await appears(at('qmp.sock'), qemu);
  const qmp = await JsonLines.open(at('qmp.sock'));
  await qmp.ask('qmp_capabilities', undefined, 60_000);
  const dump = (file: string, format: string) =>
    qmp.ask('screendump', { filename: file, format }, 120_000).then(() => undefined);
  return {
    guest: new Guest(at('agent.sock')),
    plugNetwork: async (up) => void (await qmp.ask('set_link', { name: 'network', up }, 60_000)),
    press: async (...names) => {
      const keys = names.map((data) => ({ type: 'qcode', data }));
      await qmp.ask('send-key', { keys, 'hold-time': 500 }, 60_000);
    },
    movePointer: async (x, y) => {
      const events = Object.entries({ x, y }).map(([axis, value]) => ({ type: 'rel', data: { axis, value } }));
      await qmp.ask('input-send-event', { events }, 60_000);
    },
    look: async () => {
      await dump(at('display.ppm'), 'ppm');
      return readPpm(await readFile(at('display.ppm')));
    },
    photograph: (file) => dump(file, 'png'),
    cutPower: async () => {
      qmp.close();
      qemu.kill('SIGKILL');
      await ended;
      if (tpm.exitCode === null) await once(tpm, 'exit');
    },
    serial: () => readFile(at('serial.log'), 'utf8').catch(() => ''),
  };
}

function words({ disk, kernel, initrd, acceleration }: MachineOptions, at: (name: string) => string): string[] {
  // One processor where it is emulated: with two, QEMU before 8.1 now and then runs what the kernel is just patching,
  // which ends it (Oops: int3).
  const processor =
    acceleration === 'kvm'
      ? ['-accel', 'kvm', '-cpu', 'host', '-smp', '2']
      : ['-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'Nehalem', '-smp', '1'];
  return [
    ...['-M', 'q35', ...processor],
    ...['-m', String(memoryMiB), '-nodefaults', '-display', 'none'],
    ...[
      '-kernel',
      kernel,
      '-initrd',
      initrd,
      '-append',
      'root=/dev/vda rw console=ttyS0 quiet loglevel=4 audit=0 no_timer_check',
    ],
    ...['-drive', `file=${disk},if=virtio,format=raw,cache=writeback`],
    ...['-device', 'VGA,edid=on,xres=1280,yres=720', '-device', 'virtio-rng-pci'],
    // User-mode network: no interface of this machine is touched, and 10.0.2.2 is its loopback.
    ...['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,id=network'],
    ...['-chardev', `socket,id=tpm-line,path=${at('tpm.sock')}`, '-tpmdev', 'emulator,id=tpm,chardev=tpm-line'],
    ...['-device', 'tpm-crb,tpmdev=tpm', '-device', 'virtio-serial'],
    ...['-chardev', `socket,id=agent,path=${at('agent.sock')},server=on,wait=off`],
    ...['-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
    ...['-chardev', `file,id=serial,path=${at('serial.log')}`, '-serial', 'chardev:serial'],
    ...['-qmp', `unix:${at('qmp.sock')},server=on,wait=off`],
    // For people who look in while the test runs.
    ...['-qmp', `unix:${at('look-in.sock')},server=on,wait=off`],
  ];
}

async function appears(file: string, child: ChildProcess): Promise<void> {
  for (let waited = 0; !existsSync(file); waited += 50) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`);
    if (waited > 60_000) throw new Error(`${file} does not appear`);
    await delay(50);
  }
}
