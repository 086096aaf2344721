/** The supervisor as it ships, run by the system's shell with programs that stand for players, and cut off anywhere. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readRefused, sweep, updateFolder } from '../../../electron/updates/folder.ts';
import { supervisorWords } from '../../../electron/updates/supervisor.ts';

const options = { timeout: 60_000 };
const sha512 = `${'C'.repeat(86)}==`;
const homes: string[] = [];
after(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

/** Lives until it is asked to end. */
const lives = 'while :; do sleep 0.05; done';
/** As a healthy version would, by the path that every version computes. */
const tells =
  'printf %s "$SIGNET_UPDATE_TRIAL" > "$STATE/updates/healthy.new"; mv "$STATE/updates/healthy.new" "$STATE/updates/healthy"';
const newVersions = {
  healthy: `${tells}; ${lives}`,
  exitsAtOnce: 'exit 3',
  exitsWithoutFault: 'exit 0',
  /** Neither a healthy frame nor an answer to SIGTERM, and a child of its own that must go with it. */
  hangs: 'trap "" TERM; sleep 300 & echo "child $!" >> "$SEEN"; while :; do sleep 0.1; done',
  tellsAnothersName: `printf other > "$STATE/updates/healthy"; ${lives}`,
  tellsAndDies: `${tells}; exit 1`,
};

interface Scene {
  readonly target: string;
  readonly next: string;
  readonly old: ChildProcess;
  readonly supervisor: ChildProcess;
  readonly folder: ReturnType<typeof updateFolder>;
  seen(): string;
  /** Resolves when the file that the players write has this in it. */
  sees(pattern: RegExp): Promise<void>;
  isOld(): boolean;
}

function program(path: string, name: string, text: string): void {
  writeFileSync(
    path,
    `#!/bin/sh\necho "${name} $* rolled=\${SIGNET_UPDATE_ROLLED_BACK-} pid=$$" >> "$SEEN"\n${text}\n`,
  );
  chmodSync(path, 0o755);
}

function stage(version: keyof typeof newVersions, healthySeconds = 20): Scene {
  const home = mkdtempSync(join(tmpdir(), 'signet update ')); // a path with spaces
  homes.push(home);
  const target = join(home, 'player.AppImage');
  const next = `${target}.next`;
  const folder = updateFolder(join(home, 'state'));
  mkdirSync(folder.path, { recursive: true });
  program(target, 'old', lives);
  program(next, 'new', newVersions[version]);
  const env = { PATH: process.env['PATH'] ?? '', SEEN: join(home, 'seen'), STATE: join(home, 'state') };
  writeFileSync(env.SEEN, '');
  const old = spawn('/bin/sh', ['-c', 'exec sleep 300']);
  const words = supervisorWords({
    processId: old.pid ?? 0,
    target,
    next,
    folder: folder.path,
    nonce: 'a-nonce',
    sha512,
    version: '0.2.0',
    expected: 'playing',
    healthySeconds,
    words: ['--settings', '/a file'],
  });
  const supervisor = spawn('/bin/sh', words, { env, detached: true, stdio: 'ignore' });
  const seen = () => readFileSync(env.SEEN, 'utf8');
  return {
    ...{ target, next, old, supervisor, folder, seen },
    async sees(pattern) {
      for (let tries = 0; tries < 600; tries++) {
        if (pattern.test(seen())) return;
        await delay(50);
      }
      assert.fail(`no ${pattern}: ${seen()}`);
    },
    isOld: () => readFileSync(target, 'utf8').includes('echo "old'),
  };
}

/** End every player of a scene. */
async function clear(scene: Scene): Promise<void> {
  const pids = [...scene.seen().matchAll(/(?:pid=|child )(\d+)/g)].map(([, pid]) => Number(pid));
  for (const pid of [...pids, scene.supervisor.pid ?? 0, scene.old.pid ?? 0])
    if (pid > 1)
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It is gone already.
      }
}

const isGone = (pid: number) => {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
};

test('starts nothing before the old player has ended', options, async () => {
  const scene = stage('healthy');
  await delay(600);
  assert.equal(scene.seen(), '');
  scene.old.kill('SIGTERM');
  await scene.sees(/^new /);
  await clear(scene);
});

test(
  'a healthy version takes the place of the old file, with the same words, and plays on without a supervisor',
  options,
  async () => {
    const scene = stage('healthy');
    const ended = once(scene.supervisor, 'close');
    scene.old.kill();
    assert.deepEqual(await ended, [0, null]);
    assert.match(scene.seen(), /^new --settings \/a file rolled= pid=\d+\n$/);
    assert.equal(scene.isOld(), false);
    for (const left of [scene.next, scene.folder.healthy, scene.folder.refused]) assert.equal(existsSync(left), false);
    assert.equal(isGone(Number(/pid=(\d+)/.exec(scene.seen())?.[1])), false);
    await clear(scene);
  },
);

for (const version of ['exitsAtOnce', 'exitsWithoutFault', 'tellsAndDies', 'tellsAnothersName', 'hangs'] as const)
  test(
    `a version that ${version} is taken back: the old file plays and the new one is never tried again`,
    options,
    async () => {
      const scene = stage(version, version === 'hangs' || version === 'tellsAnothersName' ? 1 : 20);
      scene.old.kill();
      await scene.sees(/old --settings \/a file rolled=0\.2\.0 /);
      assert.equal(scene.isOld(), true);
      assert.equal(existsSync(scene.next), false);
      assert.deepEqual(await readRefused(scene.folder), new Set([sha512]));
      for (const [, pid] of scene.seen().matchAll(/(?:^new .* pid=|child )(\d+)/gm))
        assert.ok(isGone(Number(pid)), `${pid} of the trial is gone`);
      await clear(scene);
    },
  );

test('asked to end with the session, it ends the trial and refuses nothing', options, async () => {
  const scene = stage('tellsAnothersName');
  scene.old.kill();
  await scene.sees(/^new /);
  const ended = once(scene.supervisor, 'close');
  scene.supervisor.kill('SIGTERM');
  await ended;
  const pid = Number(/pid=(\d+)/.exec(scene.seen())?.[1]);
  for (let tries = 0; !isGone(pid) && tries < 200; tries++) await delay(50);
  assert.ok(isGone(pid));
  assert.deepEqual(await readRefused(scene.folder), new Set());
  assert.equal(scene.isOld(), true);
  await clear(scene);
});

test(
  'whenever the power is cut the file is the whole old one, or the whole new one that was healthy',
  options,
  async () => {
    for (const version of ['healthy', 'exitsAtOnce'] as const)
      for (const cutAfterMs of [0, 60, 120, 200, 300, 450, 700, 1_100]) {
        const scene = stage(version);
        scene.old.kill();
        await delay(cutAfterMs);
        await clear(scene);
        await delay(20);
        await clear(scene);
        const whole = /^#!\/bin\/sh\necho "(old|new) .*\n.*\n$/.exec(readFileSync(scene.target, 'utf8'))?.[1];
        assert.ok(
          whole === 'old' || (whole === 'new' && version === 'healthy'),
          `${version} cut after ${cutAfterMs} ms`,
        );
        await sweep(scene.folder, scene.target);
        for (const left of [scene.next, scene.folder.healthy]) assert.equal(existsSync(left), false);
      }
  },
);
