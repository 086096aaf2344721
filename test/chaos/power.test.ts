/** F11: the power fails. Every state that the disk may then be in is made from a journal of what was written. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Inspection } from './child/inspector.ts';
import { type Lab, openLab } from './support/lab.ts';
import { sound } from './support/planted.ts';
import { Disk, type Loss, type Plant, readJournal } from './support/power-cut.ts';
import { full, record, seeded } from './support/record.ts';
import { picture } from './support/stage-server.ts';

const cuts = full ? 600 : 60;
const resumed = full ? 20 : 2;
const losses: readonly Loss[] = ['everything', 'data', 'some', 'some'];

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path).isFile());
}

describe('F11 the power fails', () => {
  let lab: Lab;
  /** The state folder before the journal began. */
  let start: Map<string, { inode: bigint; bytes: Buffer }>;
  /** Length of the journal when a version was told to be published: from there on it must never be lost. */
  const published: { version: number; bytes: number; digests: readonly string[] }[] = [];

  before(async () => {
    lab = await openLab();
    lab.resetState();
    start = new Map(
      filesBelow(lab.stateDirectory).map((path) => [
        relative(lab.stateDirectory, path),
        { inode: statSync(path, { bigint: true }).ino, bytes: readFileSync(path) },
      ]),
    );
    const run = lab.start(sound, true);
    for (let round = 0; round < (full ? 12 : 5); round++) {
      const digests = lab.server.program(
        [0, 1, 2].map((index) => picture(`p${round} ${index}`, 1 + 40_000 * index * (round + 1))),
      );
      await run.published(lab.server.version);
      published.push({ version: lab.server.version, bytes: statSync(lab.journal).size, digests });
    }
    await run.kill();
  });
  after(() => lab.close());

  /** Cut at random points and say what a start afterwards finds wrong. */
  function cutAndInspect(
    plant: Plant,
    times: number,
    seed: number,
  ): { wrong: string[]; folders: string[]; codes: Set<string> } {
    const random = seeded(seed);
    const journal = readJournal(lab.journal);
    const at = Array.from({ length: times }, () => Math.floor(random() * (journal.length + 1))).sort((a, b) => a - b);
    const disk = new Disk(lab.stateDirectory, start, plant);
    const wrong: string[] = [];
    const folders: string[] = [];
    const least: number[] = [];
    let [next, bytes] = [0, 0];
    for (const [index, until] of at.entries()) {
      for (; next < until; next++) {
        const change = journal[next] as (typeof journal)[number];
        disk.apply(change);
        bytes += 32 + Buffer.byteLength(change.path) + Buffer.byteLength(change.other) + change.data.length;
      }
      const folder = join(lab.folder, `cut-${plant}-${index}`);
      mkdirSync(folder, { mode: 0o700 });
      disk.cut(folder, losses[index % losses.length] as Loss, random);
      folders.push(folder);
      least.push(published.filter((known) => known.bytes <= bytes).at(-1)?.version ?? 0);
    }
    const codes = new Set<string>();
    for (let batch = 0; batch < folders.length; batch += 100) {
      const some = folders.slice(batch, batch + 100);
      const program = resolve('dist/tests/chaos/child/inspector.mjs');
      const text = execFileSync(process.execPath, [program, lab.writeSettings(), ...some], {
        maxBuffer: 2 ** 26,
      }).toString();
      const lines = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Inspection);
      for (const [offset, found] of lines.entries()) {
        for (const event of found.events ?? []) codes.add(event);
        const problem = problemOf(found, least[batch + offset] ?? 0);
        if (problem !== null)
          wrong.push(`cut ${batch + offset} (${losses[(batch + offset) % losses.length]}): ${problem}`);
      }
    }
    return { wrong, folders, codes };
  }

  function problemOf({ fault, registration, items = [] }: Inspection, leastVersion: number): string | null {
    if (fault !== undefined) return fault;
    if (registration !== 'registered') return `the registration is ${registration}`;
    const version = Number(/^v(\d+)/.exec(items[0]?.itemId ?? '')?.[1] ?? 0);
    if (version < leastVersion) return `version ${version} plays, ${leastVersion} was published`;
    const program = published.find((known) => known.version === version);
    const shown = items.map(({ actual }) => actual);
    if (version > 0 && JSON.stringify(shown) !== JSON.stringify(program?.digests))
      return `version ${version} is not whole: ${shown}`;
    return null;
  }

  it('wrote down every change: the journal, replayed, is the folder that is there', () => {
    const disk = new Disk(lab.stateDirectory, start);
    for (const change of readJournal(lab.journal)) disk.apply(change);
    const seen = disk.seen();
    const real = filesBelow(lab.stateDirectory);
    assert.deepEqual([...seen.keys()].sort(), real.map((path) => relative(lab.stateDirectory, path)).sort());
    for (const path of real) assert.ok(seen.get(relative(lab.stateDirectory, path))?.equals(readFileSync(path)), path);
  });

  it('plays the old program or the new one, whole, and never loses what it has published', async () => {
    const { wrong, folders, codes } = cutAndInspect('none', cuts, 31);
    assert.deepEqual(wrong, []);
    const recoveryMs: number[] = [];
    for (let index = 0; index < resumed; index++) {
      rmSync(lab.stateDirectory, { recursive: true });
      cpSync(folders[Math.floor((index * folders.length) / resumed)] as string, lab.stateDirectory, {
        recursive: true,
      });
      const run = lab.start();
      const shown = await run.shows(lab.server.version);
      recoveryMs.push(shown.atMs - run.startedAtMs);
      assert.equal(run.corrupt.length, 0);
      await run.kill();
    }
    const [files, names] = [
      cutAndInspect('no-sync-of-files', 60, 32).wrong,
      cutAndInspect('no-sync-of-folders', 60, 33).wrong,
    ];
    assert.ok(files.length > 0, 'the row would not notice a missing fsync of a file');
    assert.ok(names.length > 0, 'the row would not notice a missing fsync of a folder');
    record({
      row: 'F11',
      fault: 'power cut: what was not synchronized is forgotten',
      n: cuts,
      screen: 'the old program or the new one, whole',
      reported: [...codes],
      recoveryMs,
      caught: `no fsync of files: ${files.length} of 60; of folders: ${names.length} of 60`,
    });
  });
});
