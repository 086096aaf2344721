/** The installed player, driven from outside alone: its log, the display's pixels, its processes. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { DebianRoot, ExecOptions } from './debian-root.ts';

export interface InstalledPlayer {
  readonly child: ChildProcess;
  readonly said: readonly string[];
  /** The first line of the log with this event, now or within some minutes. */
  logged(event: string): Promise<Record<string, unknown>>;
  /** The first line of its log or its standard error that matches, now or within some minutes. */
  says(pattern: RegExp): Promise<string>;
  stop(): Promise<number | null>;
}

/** SIGTERM to the oldest process with a word on its command line; a clean system has no pkill. */
const terminate = `
for pid in $(ls /proc | grep -E '^[0-9]+$' | sort -n); do
  [ "$pid" = 1 ] && continue
  [ "$pid" = $$ ] && continue
  tr '\\0' ' ' < /proc/$pid/cmdline 2> /dev/null | grep -q -F -- "$1" || continue
  case $(tr '\\0' ' ' < /proc/$pid/cmdline) in sh\\ -c*) continue ;; esac
  exec kill -TERM $pid
done`;

export function startInstalled(root: DebianRoot, words: readonly string[], options: ExecOptions): InstalledPlayer {
  const child = root.spawn(words, options);
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => said.push(line));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const says = async (pattern: RegExp) => {
    for (let waitedMs = 0; waitedMs < 180_000; waitedMs += 100) {
      const line = said.find((text) => pattern.test(text));
      if (line !== undefined) return line;
      if (child.exitCode !== null || child.signalCode !== null) break;
      await delay(100);
    }
    throw new Error(`no ${pattern}: ${said.slice(-12).join('\n')}`);
  };
  return {
    child,
    said,
    logged: async (event) => JSON.parse(await says(new RegExp(`^{.*"event":"${event}"`))) as Record<string, unknown>,
    says,
    async stop() {
      await root.exec(['sh', '-c', terminate, 'sh', words[0] ?? '']);
      return ended;
    },
  };
}

export interface SandboxOfProcess {
  readonly seccomp: string;
  readonly userNamespace: string;
  readonly noNewPrivileges: string;
}

/** One line a process: kind, Seccomp, NoNewPrivs, user namespace. */
const listing = `
for folder in /proc/[0-9]*; do
  line=$(tr '\\0' ' ' < $folder/cmdline 2> /dev/null) || continue
  case $line in */signet-player*) ;; *) continue ;; esac
  kind=main
  case $line in *--type=*) kind=$(echo "$line" | sed 's/.*--type=\\([a-z-]*\\).*/\\1/') ;; esac
  echo "$kind $(sed -n 's/^Seccomp:\\s*//p' $folder/status) $(sed -n 's/^NoNewPrivs:\\s*//p' $folder/status) $(readlink $folder/ns/user)"
done`;

/** How each kind of the player's processes is confined. */
export async function sandboxes(root: DebianRoot): Promise<ReadonlyMap<string, SandboxOfProcess>> {
  const lines = (await root.must(['sh', '-c', listing])).trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [kind = '', seccomp = '', noNewPrivileges = '', userNamespace = ''] = line.split(' ');
      return [kind, { seccomp, noNewPrivileges, userNamespace }];
    }),
  );
}
