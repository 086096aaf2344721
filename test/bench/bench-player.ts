/** Applications on the display of a measurement: the player from its warm cache, and others. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Backend } from '../backend/backend.ts';

export interface Application {
  readonly pid: number;
  /** Ends the application and waits until it is gone. */
  stop(): Promise<void>;
  /** Calls back with each structured log line. */
  onLine(listener: (line: { readonly event: string; readonly [field: string]: unknown }) => void): void;
}

/** Start Electron with these words on a display. It ends with this process. */
export function startElectron(electron: string, display: string, words: readonly string[]): Application {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', electron, ...words], {
    env: { ...process.env, DISPLAY: display },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  return {
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
    onLine: (listener) => {
      lines.on('line', (line) => {
        if (line.startsWith('{')) listener(JSON.parse(line));
      });
    },
  };
}

/** The words that start the player against a server; whoever registers is claimed at once. */
export function playerWords(folder: string, backend: Backend, tcti: string, more: object = {}): readonly string[] {
  const file = join(folder, 'settings.json');
  const { origin, caFile } = backend;
  const settings = {
    server: { origin, caFile },
    identity: { tcti, deviceCaFile: caFile },
    state: { directory: join(folder, 'player') },
    ...more,
  };
  writeFileSync(file, JSON.stringify(settings));
  return [resolve('dist/release/main.cjs'), '--settings', file];
}

/** Claims every registration that a player announces. */
export function claimAll(player: Application, backend: Backend): void {
  player.onLine(({ event }) => {
    if (event !== 'registration-pending') return;
    for (const { pin } of backend.pending()) backend.claim(pin, 'bench');
  });
}
