import { spawn } from 'node:child_process';
import { access, chmod, constants, copyFile, lstat, mkdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { accountName, provideAccount } from './account.mjs';
import { checkout, inCheckout } from './checkout.mjs';
import { must, run } from './command.mjs';
import { narrate, SetupError, startedAtMs } from './narration.mjs';

const stage = '/run/signet-player';
const asAccount = [`--reuid=${accountName}`, `--regid=${accountName}`, '--init-groups', '--no-new-privs'];

/** Whether this process is the part of a command that runs after setup, as the unprivileged user. */
export const isRunPhase = () => process.env.SIGNET_PHASE === 'run';

/**
 * When root: run this same script again as the unprivileged user and wait for it.
 * @param {readonly string[]} writable folders the run phase writes, absolute; made and handed over
 * @returns {Promise<number | undefined>} its exit code; undefined when not root, so that the caller carries on itself
 * @throws {SetupError}
 */
export async function asUnprivileged(writable) {
  const made = [];
  for (const folder of writable) if ((await mkdir(folder, { recursive: true })) !== undefined) made.push(folder);
  if (process.getuid?.() !== 0) return undefined;
  await provideAccount();
  const home = inCheckout('.runtime/home');
  await mkdir(home, { recursive: true });
  await displayAccess(home);
  // X servers of other users cannot make this folder themselves.
  await mkdir('/tmp/.X11-unix', { mode: 0o1777 }).then(
    () => chmod('/tmp/.X11-unix', 0o1777),
    () => undefined,
  );
  const handOver = [home, ...(await ownFolders(writable, made))];
  await must('chown', ['-R', '-h', `${accountName}:${accountName}`, ...handOver], {
    quiet: true,
    remedy: 'make the checkout writable for root, or run the command as its owner',
  });
  const view = await reachableView();
  narrate('account', `going on as ${accountName}${view.bound ? `, with the checkout shown at ${view.checkout}` : ''}`);
  return follow(view);
}

/**
 * Those that were just made or are the account's already. One that was there before is somebody else's, and
 * sources in it would be run by root at the next start.
 * @param {readonly string[]} folders absolute
 * @param {readonly string[]} made topmost folders that were made
 */
async function ownFolders(folders, made) {
  const uid = Number((await run('id', ['-u', accountName], { quiet: true })).stdout);
  const own = [];
  for (const folder of folders) {
    const isNew = made.some((top) => folder === top || folder.startsWith(`${top}${path.sep}`));
    if (isNew || (await lstat(folder)).uid === uid) own.push(folder);
  }
  return own;
}

/**
 * @param {readonly string[]} folders absolute
 * @throws {SetupError} for the first that this user cannot write
 */
export async function assertWritable(folders) {
  for (const folder of folders) {
    await access(folder, constants.W_OK).catch((error) => {
      const remedy = `as root: chown -R ${os.userInfo().username} ${folder}`;
      throw new SetupError(`${folder} cannot be written`, remedy, error);
    });
  }
}

/**
 * @typedef {object} View where the unprivileged user finds things
 * @property {string} checkout
 * @property {string} node
 * @property {boolean} bound whether a private mount namespace shows them there
 */

/**
 * The checkout and this Node as the unprivileged user can reach them, for instance not below /root.
 * @returns {Promise<View>}
 */
async function reachableView() {
  const sees = async (/** @type {string} */ file, /** @type {string} */ test) =>
    (await run('setpriv', [...asAccount, 'test', test, file], { quiet: true, cwd: '/' })).code === 0;
  const seesCheckout = await sees(inCheckout('package.json'), '-r');
  const seesNode = await sees(process.execPath, '-x');
  if (seesCheckout && seesNode) return { checkout, node: process.execPath, bound: false };
  return {
    checkout: seesCheckout ? checkout : path.join(stage, 'checkout'),
    node: seesNode ? process.execPath : path.join(stage, 'node/bin', path.basename(process.execPath)),
    bound: true,
  };
}

/** With root's X session in use, its authority is copied for the account. @param {string} home */
async function displayAccess(home) {
  const authority = process.env.XAUTHORITY ?? path.join(os.homedir(), '.Xauthority');
  if (!process.env.DISPLAY) return;
  const copy = path.join(home, '.Xauthority');
  // The folder is the account's: what lies there under this name may be a link to anywhere.
  await rm(copy, { force: true });
  await copyFile(authority, copy, constants.COPYFILE_EXCL).catch(() => undefined);
}

/** @param {View} view */
function environment(view) {
  // Named one by one: root's environment may hold tokens, and every process of the account can read them.
  const passed = /^(LANG|LC_[A-Z]+|TZ|TERM|COLORTERM|DISPLAY|CI|TSS2_LOG|ELECTRON_MIRROR|SIGNET_[A-Z_]+)$/;
  const kept = Object.entries(process.env).filter(([name]) => passed.test(name));
  return {
    ...Object.fromEntries(kept),
    HOME: path.join(view.checkout, '.runtime/home'),
    USER: accountName,
    LOGNAME: accountName,
    PATH: `${path.dirname(view.node)}:${process.env.PATH ?? '/usr/bin:/bin'}`,
    SIGNET_PHASE: 'run',
    SIGNET_CHECKOUT: checkout,
    SIGNET_STARTED_AT: String(startedAtMs),
  };
}

/**
 * The command line that enters the view. Mounts live in a namespace of their own and vanish with it.
 * @param {View} view
 * @returns {Promise<string[]>}
 */
async function commandLine(view) {
  const script = path.join(view.checkout, path.relative(checkout, process.argv[1] ?? ''));
  const drop = ['setpriv', ...asAccount, '--pdeathsig=TERM', '--', view.node, script, ...process.argv.slice(2)];
  if (!view.bound) return drop;
  const mounts = [
    [checkout, view.checkout],
    [path.resolve(path.dirname(process.execPath), '..'), path.resolve(path.dirname(view.node), '..')],
  ].filter(([from, to]) => from !== to);
  for (const [, to = ''] of mounts) await mkdir(to, { recursive: true });
  const steps =
    'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 96; shift 2; done; shift; cd "$0" && exec "$@"';
  const enter = ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c', steps, view.checkout];
  const probe = [...enter.slice(1), ...mounts.flat(), '--', 'true'];
  if ((await run('unshare', probe, { quiet: true })).code !== 0) {
    throw new SetupError(
      `${accountName} cannot reach ${checkout} and this system allows no private mounts`,
      'move the checkout to a folder that other users can read, such as /opt or /srv',
    );
  }
  return [...enter, ...mounts.flat(), '--', ...drop];
}

/**
 * Run the command line to its end; signals are passed on.
 * @param {View} view
 * @returns {Promise<number>}
 */
async function follow(view) {
  const [program = '', ...args] = await commandLine(view);
  const cwd = view.bound ? '/' : checkout;
  const child = spawn(program, args, {
    cwd,
    env: environment(view),
    stdio: ['ignore', 'inherit', 'inherit'],
    // A session of its own: whoever shares root's terminal can type into it (TIOCSTI, ioctl_tty(2)).
    detached: true,
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (os.constants.signals[signal ?? 'SIGTERM'] ?? 15)));
  });
}
