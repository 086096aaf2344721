/** A clean Debian of another release, entered with pivot_root in namespaces of its own: chroot(2) has no sandbox. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export type Codename = 'bookworm' | 'trixie';

export interface Result {
  readonly code: number | null;
  readonly output: string;
}

export interface DebianRoot {
  /** A folder of the host that the root sees under the same path. */
  readonly shared: string;
  /** Run a program to its end, as root of the root where no user is named. */
  exec(words: readonly string[], options?: ExecOptions): Promise<Result>;
  /** The same, for one that must succeed; its output. */
  must(words: readonly string[], options?: ExecOptions): Promise<string>;
  spawn(words: readonly string[], options?: ExecOptions): ChildProcess;
  stop(): Promise<void>;
}

export interface ExecOptions {
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const cache = resolve('.runtime/packaged');
const isRoot = process.getuid?.() === 0;
/**
 * An ordinary user is root in a user namespace over the range of ids that /etc/subuid gives them, as mmdebstrap makes it.
 * The user's own id is the last one there: in the place of root it would shift the range by one, and programs that are
 * root's by their mode (umount) would be another's.
 */
const ids = ['--user', '--map-auto', '--map-user=65535', '--map-group=65535', '--setuid=0', '--setgid=0'];
const asRoot = isRoot ? [] : ['unshare', ...ids, '--'];
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' };

/** Why these tests cannot be made by this user; `undefined` when they can. */
export function whyImpossible(): string | undefined {
  if (isRoot) return undefined;
  const name = process.env['USER'] ?? '';
  const hasIds = ['/etc/subuid', '/etc/subgid'].every((file) =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .some((line) => line.startsWith(`${name}:`))
      : false,
  );
  return hasIds ? undefined : `${name} is not root and has no ids in /etc/subuid (as root: usermod --add-subuids …)`;
}

/**
 * Run a program to its end.
 * @returns code and both outputs
 */
export async function runToEnd(words: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Result> {
  const [program = '', ...args] = words;
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/**
 * The release with the given packages and what they depend on, kept below .runtime/ for the next time.
 * @param satisfied in the syntax of the field Depends
 */
async function provideBase(codename: Codename, satisfied: string): Promise<string> {
  const name = `${codename}-${createHash('sha256').update(satisfied).digest('hex').slice(0, 12)}${isRoot ? '' : '-user'}`;
  const base = join(cache, name);
  if (existsSync(base)) return base;
  mkdirSync(cache, { recursive: true });
  const part = `${base}.part`;
  const hook = [
    'echo force-unsafe-io > "$1/etc/dpkg/dpkg.cfg.d/unsafe-io"',
    'echo "127.0.0.1 localhost" > "$1/etc/hosts"',
    `chroot "$1" apt-get satisfy -y -q --no-install-recommends "${satisfied}"`,
  ].join(' && ');
  const mirror = (await runToEnd(['apt-get', 'indextargets', '--format', '$(REPO_URI)', 'Codename: bookworm'])).output
    .split('\n')
    .find((line) => line.startsWith('http'));
  // Test files run side by side: who comes second waits, and finds it made.
  const unlessMade = `[ -e "${base}" ] || { rm -rf "${part}"; "$@" && mv "${part}" "${base}"; }`;
  const made = await runToEnd([
    ...['flock', `${base}.lock`, 'sh', '-c', unlessMade, 'sh'],
    ...['mmdebstrap', '--variant=apt', `--mode=${isRoot ? 'root' : 'unshare'}`, '--include=mount', '--quiet'],
    ...[`--customize-hook=${hook}`, codename, part, mirror ?? 'http://deb.debian.org/debian'],
  ]);
  if (made.code !== 0) throw new Error(`mmdebstrap ${codename}: ${made.output.slice(-2000)}`);
  return base;
}

/** What stands as process 1 in the root: it mounts, changes the root, says so and waits. */
const init = `
lower=$1 folder=$2 shared=$3
root=$folder/root
mount -t tmpfs tmpfs "$folder/disk" -o mode=755
mkdir "$folder/disk/up" "$folder/disk/work"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$folder/disk/up,workdir=$folder/disk/work$4" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp" -o mode=1777
mkdir -m 1777 "$root/tmp/.X11-unix"
mount --bind /tmp/.X11-unix "$root/tmp/.X11-unix"
mkdir -p "$root$shared" "$root/.host"
mount --bind "$shared" "$root$shared"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cd "$root"
pivot_root . .host
umount -l /.host
cd /
rmdir /.host
echo ready
# What unshare asked of the kernel for its end is forgotten where it has changed the user's id.
exec setpriv --pdeathsig=KILL sleep infinity
`;

/** Start a root in which everything that is written vanishes with it. */
export async function startDebianRoot(codename: Codename, satisfied: string): Promise<DebianRoot> {
  const base = await provideBase(codename, satisfied);
  const folder = mkdtempSync(join(tmpdir(), 'signet-root-'));
  const shared = mkdtempSync('/var/tmp/signet-shared-');
  for (const name of ['disk', 'root']) mkdirSync(join(folder, name));
  const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child', '--propagation=private'];
  const words = [
    ...(isRoot ? [] : ids),
    ...namespaces,
    '--',
    'sh',
    '-ec',
    init,
    'init',
    base,
    folder,
    shared,
    isRoot ? '' : ',userxattr',
  ];
  const outer = spawn('unshare', words, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await Promise.race([once(outer.stdout, 'data'), once(outer, 'close').then(() => [''])])) as [Buffer];
  if (!String(said).includes('ready')) throw new Error(`the root of ${codename} could not be entered`);
  const children = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8').trim();
  const inside = ['nsenter', `--target=${children}`, '--mount', '--pid', '--ipc', '--uts', '--root', '--wd'];
  const enter = isRoot ? inside : [...inside, '--user'];
  const command = (line: readonly string[], { user: name, env = {} }: ExecOptions = {}) => {
    const home = name === undefined ? '/root' : '/var/lib/signet-player';
    const variables = Object.entries({ ...environment, HOME: home, ...env }).map(([key, value]) => `${key}=${value}`);
    const drop = name === undefined ? [] : ['setpriv', `--reuid=${name}`, `--regid=${name}`, '--init-groups', '--'];
    return [...enter, '--', 'env', '-i', ...variables, ...drop, ...line];
  };
  const root: DebianRoot = {
    shared,
    exec: (line, options) => runToEnd(command(line, options)),
    async must(line, options) {
      const { code, output } = await root.exec(line, options);
      if (code !== 0) throw new Error(`${line.join(' ')} ended with ${code}: ${output.slice(-3000)}`);
      return output;
    },
    spawn(line, options) {
      const [program = '', ...args] = command(line, options);
      return spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    },
    async stop() {
      const ended = once(outer, 'close');
      outer.kill('SIGKILL');
      await ended;
      await runToEnd([...asRoot, 'rm', '-rf', folder, shared]);
    },
  };
  return root;
}
