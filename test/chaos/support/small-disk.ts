/** A file system of the player's own under its state folder, in namespaces of its own: no privilege is needed. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Run, sleep } from './lab.ts';

export interface DiskOptions {
  readonly sizeBytes: number;
  /** Inodes, as many as there is memory for where absent. */
  readonly inodes?: number;
  /** Everything but the state folder cannot be written. */
  readonly readOnlyRoot?: boolean;
}

const script = `
state=$1 options=$2 root=$3
shift 3
cp -a "$state" "$state.kept"
mount -t tmpfs -o "$options" none "$state"
cp -a "$state.kept/." "$state"
rm -rf "$state.kept"
[ "$root" = rw ] || mount -o remount,bind,ro /
exec "$@"
`;

export class SmallDisk {
  readonly #options: DiskOptions;
  readonly #state: string;

  constructor(state: string, options: DiskOptions) {
    this.#state = state;
    this.#options = options;
  }

  /** What to put before a command so that it runs on this disk. */
  get prefix(): readonly string[] {
    const { sizeBytes, inodes, readOnlyRoot = false } = this.#options;
    const options = `size=${sizeBytes},mode=0700${inodes === undefined ? '' : `,nr_inodes=${inodes}`}`;
    const namespaces = ['unshare', '--user', '--map-root-user', '--mount'];
    // The layer keeps a file open for writing, and what is written cannot be made read-only.
    const without = readOnlyRoot ? ['env', '--unset=LD_PRELOAD'] : [];
    return [...without, ...namespaces, 'sh', '-ec', script, 'sh', this.#state, options, readOnlyRoot ? 'ro' : 'rw'];
  }

  /** Write until the disk has no byte left. */
  fill(run: Run): void {
    const file = openSync(this.#path(run, 'filler'), 'w');
    const block = Buffer.alloc(4_096, 1);
    try {
      untilFull(() => writeSync(file, block));
    } finally {
      closeSync(file);
    }
  }

  /** Make files until there is no inode left. @returns how many */
  fillInodes(run: Run): number {
    let made = 0;
    untilFull(() => writeFileSync(this.#path(run, `filler-${made++}`), ''));
    return made;
  }

  /** Remove what `fill` and `fillInodes` made. */
  empty(run: Run, inodes = 0): void {
    if (run.ended) return;
    rmSync(this.#path(run, 'filler'), { force: true });
    for (let index = 0; index < inodes; index++) rmSync(this.#path(run, `filler-${index}`), { force: true });
  }

  async remount(run: Run, how: 'ro' | 'rw'): Promise<void> {
    const into = ['--target', `${run.child.pid}`, '--user', '--mount', '--preserve-credentials'];
    // Busy for as long as a file is open for writing; and gone once the player is.
    for (let left = 50; !run.ended; left--) {
      try {
        // With a source no option is taken over: an owner's number means nothing in this namespace.
        execFileSync('nsenter', [...into, 'mount', '-o', `remount,${how}`, 'none', this.#state], { stdio: 'pipe' });
        return;
      } catch (thrown) {
        if (left === 0) throw thrown;
        await sleep(50);
      }
    }
  }

  /** A path of the state folder, seen from outside. */
  #path(run: Run, name: string): string {
    return join(`/proc/${run.child.pid}/root${this.#state}`, name);
  }
}

function untilFull(write: () => unknown): void {
  for (;;)
    try {
      write();
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw thrown;
    }
}
