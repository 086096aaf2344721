import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { TpmRelay } from './tpm-relay.ts';

/** A character device that answers as a TPM. */
export interface TpmDevice {
  /** `device:` and its path. */
  readonly tcti: string;
  stop(): Promise<void>;
}

/**
 * A pseudo terminal before a software TPM: to tpm2-tss it is a TPM's device, opened, written and read as one. There is
 * no driver behind it that would manage the TPM's slots; what the addon makes of the name is what is looked at.
 * @param path where the device appears; `…/tpmrm0` is the kernel's resource manager to those who use it
 * @throws Error when socat (Debian package `socat`) does not start
 */
export async function startTpmDevice(relay: TpmRelay, path: string): Promise<TpmDevice> {
  const socket = relay.tcti.replace('swtpm:path=', '');
  // Raw: bytes, not lines. The relay's line stays while nobody has the terminal open.
  const words = [`PTY,link=${path},rawer,wait-slave,pty-interval=0.02`, `UNIX-CONNECT:${socket}`];
  const child = spawn('socat', words, { stdio: 'ignore', env: { ...process.env, LD_PRELOAD: '' } });
  const ended = once(child, 'exit');
  for (let attempt = 0; !existsSync(path); attempt++) {
    if (attempt >= 500 || child.exitCode !== null) throw new Error('socat made no pseudo terminal');
    await Promise.race([delay(10), ended]);
  }
  return {
    tcti: `device:${path}`,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}
