/** `npm start` as a new user runs it: what it says, what it shows, and that it leaves nothing behind. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

const base = mkdtempSync(join(tmpdir(), 'signet-demo-'));
after(() => rmSync(base, { recursive: true, force: true }));

/** A folder that the part before, which may run as root, would have made. */
function folder(name: string): string {
  mkdirSync(join(base, name));
  return join(base, name);
}

/** The part of `npm start` that follows the set-up, which has been done when tests run. */
function start(...words: string[]) {
  const child = spawn(process.execPath, ['build/start.mjs', '--virtual', ...words], {
    env: { ...process.env, SIGNET_PHASE: 'run', HOME: base },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  const waiting = new Set<() => void>();
  for (const output of [child.stdout, child.stderr])
    createInterface({ input: output }).on('line', (line) => {
      said.push(line);
      for (const look of waiting) look();
    });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const says = (pattern: RegExp) =>
    Promise.race([
      new Promise<string>((resolve) => {
        const look = () => {
          const line = said.find((text) => pattern.test(text));
          if (line !== undefined) resolve(line);
        };
        waiting.add(look);
        look();
      }),
      ended.then((code) => {
        throw new Error(`ended with ${code} before it said ${pattern}: ${said.slice(-8).join(' | ')}`);
      }),
    ]);
  return { child, said, says, ended };
}

async function interrupt(run: { child: ChildProcess; ended: Promise<number | null> }): Promise<number | null> {
  run.child.kill('SIGINT');
  return run.ended;
}

/** Processes that still name a folder once those that were ending have ended: Chromium's end a moment after the player. */
async function leftIn(folder: string): Promise<string[]> {
  for (let tries = 0; processesThatName(folder).length > 0 && tries < 50; tries++) await delay(100);
  return processesThatName(folder);
}

/** Command lines of living processes that mention a folder. */
function processesThatName(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        return [readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    })
    .filter((words) => words.includes(folder));
}

test('refuses an option that it does not know, and names the remedy in one line', async () => {
  const run = start('--clame=auto');
  assert.notEqual(await run.ended, 0);
  assert.match(run.said.join('\n'), /clame[\s\S]*REMEDY: npm start -- --help/);
});

test('lists its options', async () => {
  const run = start('--help');
  assert.equal(await run.ended, 0);
  for (const option of ['--claim', '--state', '--fresh', '--screenshots', '--for'])
    assert.ok(
      run.said.some((line) => line.includes(option)),
      option,
    );
});

test('the first run registers, plays and photographs each state; the second plays at once from disk', async () => {
  const state = folder('state');
  const screenshots = folder('shots');
  const words = ['--state', state, '--screenshots', screenshots, '--claim-after', '1'];
  const first = start(...words);
  await first.says(/PIN [A-HJ-NP-Z2-9]{6}, key fingerprint [0-9a-f]{64}/);
  await first.says(/claimed the screen with PIN/);
  await first.says(/3-second-item\.png/);
  assert.equal(await interrupt(first), 0, first.said.slice(-6).join('\n'));
  assert.deepEqual(readdirSync(screenshots).sort(), ['1-registration.png', '2-first-item.png', '3-second-item.png']);
  for (const name of readdirSync(screenshots)) assert.ok(statSync(join(screenshots, name)).size > 20_000, name);
  assert.deepEqual(await leftIn(state), []);

  const second = start(...words);
  await second.says(/player\s+shows item-/);
  assert.equal(await interrupt(second), 0, second.said.slice(-6).join('\n'));
  assert.ok(!second.said.some((line) => line.includes('PIN ')));
  assert.deepEqual(await leftIn(state), []);
});

test('with --claim=manual the screen waits for a person', async () => {
  const run = start(
    '--state',
    folder('manual'),
    '--screenshots',
    folder('manual-shots'),
    '--claim=manual',
    '--claim-after',
    '0',
  );
  await run.says(/claim the screen yourself: https:\/\/localhost:\d+\//);
  assert.equal(await interrupt(run), 0, run.said.slice(-6).join('\n'));
  assert.ok(!run.said.some((line) => line.includes('claimed')));
});
