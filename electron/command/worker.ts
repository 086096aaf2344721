import { existsSync, readFileSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Command, Misuse } from './line.ts';

/** What the main thread hands to the thread that carries a command out. */
export interface Assignment {
  readonly command: Exclude<Command, { name: 'play' }> | Misuse;
  /** The command line without the program, for `--settings`. */
  readonly words: readonly string[];
  readonly processId: number;
  /** [0] turns 1 when it is done, [1] is then the exit code, [2] the thread's id in the kernel. */
  readonly outcome: Int32Array;
}

const longestMs = 180_000;
const longestEndMs = 3_000;

/**
 * Carry a command out while the main thread stands still, and exit: as soon as main's script has returned, Chromium
 * goes on to open a display, and where there is none it takes the process down.
 * @param script absolute path of the bundled thread
 */
export function runCommand(script: string, { command, words }: Pick<Assignment, 'command' | 'words'>): never {
  // The thread's own environment is a copy, which libraries do not see.
  process.env['TSS2_LOG'] ??= 'all+none';
  const outcome = new Int32Array(new SharedArrayBuffer(12));
  const assignment: Assignment = { command, words, processId: process.pid, outcome };
  readFileSync(script);
  new Worker(script, { workerData: assignment });
  if (Atomics.wait(outcome, 0, 0, longestMs) === 'timed-out') {
    writeSync(2, `signet-player: ${command.name} did not end within ${longestMs / 1000} s\n`);
    process.exit(75);
  }
  awaitThread(outcome[2] ?? 0);
  process.exit(outcome[1]);
}

/** The process must not be taken down around a thread that still runs: its libraries would abort. */
function awaitThread(threadId: number): void {
  const step = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < longestEndMs && existsSync(`/proc/self/task/${threadId}`); waited += 5)
    Atomics.wait(step, 0, 0, 5);
}

/** Write all of it, whatever kind of pipe it is; a reader that is gone is nobody's fault. */
export function print(descriptor: 1 | 2, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') throw thrown;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
