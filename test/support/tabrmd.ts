import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The user-space resource manager of tpm2-tss on a message bus of its own. */
export interface Tabrmd {
  /** `tabrmd:` on the bus that `env` names. */
  readonly tcti: string;
  readonly env: Readonly<Record<string, string>>;
  /** End the resource manager and start another one on the same bus. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const NAME = 'com.intel.tss2.Tabrmd';

/**
 * Start Debian's tpm2-abrmd in front of a TPM, on a private session bus.
 * @param tcti the TPM: nobody else may be connected to it
 * @throws Error with the daemon's own words when it does not start
 */
export async function startTabrmd(tcti: string): Promise<Tabrmd> {
  const bus = spawn('dbus-daemon', ['--session', '--nofork', '--nopidfile', '--print-address'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, LD_PRELOAD: '' },
  });
  const [address] = (await Promise.race([once(createInterface({ input: bus.stdout }), 'line'), ended(bus)])) as [
    string,
  ];
  const env = { DBUS_SESSION_BUS_ADDRESS: address };
  let daemon = await startDaemon(tcti, env);
  return {
    tcti: 'tabrmd:bus_type=session',
    env,
    async restart() {
      await end(daemon);
      daemon = await startDaemon(tcti, env);
    },
    async stop() {
      await end(daemon);
      await end(bus);
    },
  };
}

async function startDaemon(tcti: string, env: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const asRoot = process.getuid?.() === 0 ? ['--allow-root'] : [];
  const watch = spawn('gdbus', ['wait', '--session', '--timeout', '20', NAME], {
    stdio: 'ignore',
    env: { ...process.env, ...env, LD_PRELOAD: '' },
  });
  const daemon = spawn('tpm2-abrmd', ['--session', ...asRoot, `--tcti=${tcti}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env, LD_PRELOAD: '', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
  });
  let complaint = '';
  daemon.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2048);
  });
  try {
    const [code] = await Promise.race([once(watch, 'exit'), ended(daemon)]);
    if (code !== 0) throw new Error('it did not come to the bus');
  } catch (cause) {
    await Promise.all([end(watch), end(daemon)]);
    throw new Error(`tpm2-abrmd: ${complaint.trim()}`, { cause });
  }
  return daemon;
}

async function ended(child: ChildProcess): Promise<never> {
  await once(child, 'exit');
  throw new Error(`${child.spawnfile} ended`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
