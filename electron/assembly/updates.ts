/** Updates of the AppImage: a bundle of its own, read after the first picture and only where the settings name a feed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { constants, readFileSync } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { undiciConnector } from 'node-tss';
import { storeFailure } from '../cache/failure.ts';
import { assertRoom, readSpace } from '../cache/room.ts';
import type { Log } from '../log.ts';
import { createOriginClient } from '../mtls/client.ts';
import { proxyOf } from '../mtls/proxy.ts';
import type { Settings } from '../settings.ts';
import { openFeed } from '../updates/feed.ts';
import { readRefused, sweep, type UpdateFolder, updateFolder } from '../updates/folder.ts';
import { placeNext } from '../updates/placement.ts';
import { lookOnce, type Round } from '../updates/round.ts';
import { remedies, type Surroundings, unfitFor } from '../updates/standing.ts';
import { readUpdateKey } from '../updates/statement.ts';
import { nextEnvironment, supervisorWords } from '../updates/supervisor.ts';
import type { Trial } from '../updates/trial.ts';
import { waitFor } from './waiting.ts';

const hourMs = 60 * 60_000;
/** The first look comes soon after a start, though not of all screens at once. */
const firstLookWithinMs = 10 * 60_000;

export interface UpdateParts {
  readonly settings: Settings;
  readonly playerVersion: string;
  readonly trial: Pick<Trial, 'target' | 'proven'>;
  /** The state of the snapshot now. */
  state(): string;
  /** End this player in the ordinary way. */
  quit(): void;
  readonly log: Log;
}

type UpdateSettings = NonNullable<Settings['updates']>;

/** Look at the feed from time to time, until a new version takes over or `signal` aborts. */
export async function runUpdates(parts: UpdateParts, signal: AbortSignal): Promise<void> {
  const { settings, trial, log } = parts;
  const { updates } = settings;
  if (updates === undefined) return;
  const unfit = unfitFor(surroundings());
  if (unfit !== null) return log.warn('updates-off', { reason: unfit, message: remedies[unfit] });
  const target = trial.target ?? process.env['APPIMAGE'] ?? '';
  const folder = updateFolder(settings.state.directory);
  // A trial's own file is the one that would be swept; its supervisor cleans up behind it.
  if (trial.target === null) await sweep(folder, target);
  await trial.proven;
  const everyMs = updates.everyHours * hourMs;
  await waitFor(Math.min(everyMs, firstLookWithinMs) * Math.random(), signal);
  for (;;) {
    const round = await look(parts, updates, folder, target, signal);
    if (round !== null && (await handOver(parts, updates, folder, target, round))) return;
    await waitFor(everyMs * (0.9 + 0.2 * Math.random()), signal);
  }
}

/** @returns what is to be tried; `null` where nothing is. Playing goes on whatever goes wrong here. */
async function look(
  { settings, playerVersion, log }: UpdateParts,
  updates: UpdateSettings,
  folder: UpdateFolder,
  target: string,
  signal: AbortSignal,
): Promise<Extract<Round, { next: string }> | null> {
  const packageName = ownPackageName();
  const client = createOriginClient(new URL(updates.feed).origin, feedConnector(settings, updates.caFile));
  try {
    const parts = { address: updates.feed, client, folder, packageName, version: playerVersion, signal };
    const feed = await openFeed(parts);
    const round = await lookOnce(
      { packageName, arch: process.arch },
      {
        ...feed,
        key: () => readFile(updates.publicKeyFile, 'utf8').then(readUpdateKey, () => null),
        refused: () => readRefused(folder),
        isWritable: () =>
          access(dirname(target), constants.W_OK).then(
            () => true,
            () => false,
          ),
        assertRoom: (bytes) => assertRoomFor(bytes, settings, [folder.path, dirname(target)]),
        place: (file, { release }) => placeNext(file, target, release),
      },
    );
    if ('next' in round) return round;
    if (round.refusal === 'not-newer') log.debug('update-none');
    else log.warn('update-refused', { reason: round.refusal });
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const { syscall } = thrown as NodeJS.ErrnoException;
    log.failure('update-failed', syscall === undefined ? thrown : storeFailure(thrown, 'fetching an update'));
  } finally {
    await client.close();
  }
  return null;
}

/** Start the supervisor, which waits for this player to end, and end. */
async function handOver(
  { state, quit, log }: UpdateParts,
  updates: UpdateSettings,
  folder: UpdateFolder,
  target: string,
  { offer, next }: Extract<Round, { next: string }>,
): Promise<boolean> {
  const { version, sha512 } = offer.release;
  const supervision = {
    processId: process.pid,
    target,
    next,
    folder: folder.path,
    nonce: randomUUID(),
    sha512,
    version,
    expected: state(),
    healthySeconds: updates.healthySeconds,
    words: process.argv.slice(1),
  };
  try {
    await access('/usr/bin/setsid', constants.X_OK);
    const child: ChildProcess = spawn('/bin/sh', supervisorWords(supervision), {
      detached: true,
      env: nextEnvironment(process.env),
      stdio: 'inherit',
    });
    await once(child, 'spawn');
    child.unref();
  } catch (thrown) {
    log.failure('update-failed', thrown);
    await sweep(folder, target);
    return false;
  }
  log.info('update-trying', { version });
  quit();
  return true;
}

/** `signet-player` or `signet-player-test`, as the manifest beside the bundles says. */
function ownPackageName(): string {
  return String(JSON.parse(readFileSync(join(__dirname, 'package.json'), 'utf8')).name);
}

/** TLS 1.3 to the feed, through the player's proxy and without the device certificate. */
function feedConnector(settings: Settings, caFile: string | undefined) {
  return undiciConnector({
    credentials: async () => {
      const proxy = await proxyOf(settings);
      return { ...(caFile === undefined ? {} : { caFile }), ...(proxy === undefined ? {} : { proxy }) };
    },
  });
}

/** On each file system that the bytes will pass, without touching the store's reserve. @throws PlayerError STORE_FULL */
async function assertRoomFor(bytes: number, { store }: Settings, folders: readonly string[]): Promise<void> {
  const { statfs } = await import('node:fs/promises');
  const none = { storedBytes: 0, budgetBytes: Number.MAX_SAFE_INTEGER, promisedBytes: 0 };
  const seen = new Set<number>();
  for (const folder of folders) {
    const { dev } = await stat(folder);
    if (seen.has(dev)) continue;
    seen.add(dev);
    assertRoom(bytes, { ...none, reserveBytes: store.reserveBytes }, await readSpace(folder, { statfs }));
  }
}

function surroundings(): Surroundings {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  const ancestors: string[] = [];
  for (let at = process.ppid; at > 1 && ancestors.length < 32; ) {
    ancestors.push(read(`/proc/${at}/comm`).trim());
    // The fourth field (proc(5)); the second may hold spaces and brackets.
    at = Number(read(`/proc/${at}/stat`).split(') ').pop()?.split(' ')[1] ?? 0);
  }
  const cgroup = /^0::(.*)$/m.exec(read('/proc/self/cgroup'))?.[1] ?? '';
  return { env: process.env, cgroup, ancestors };
}
