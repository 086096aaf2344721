/** F12, F13: what is on the disk is another than was written. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Inspection } from './child/inspector.ts';
import { indexBelieved, unverified } from './support/bugs.ts';
import { type Lab, openLab } from './support/lab.ts';
import { mutated } from './support/mutation.ts';
import { type Program, plant, sound } from './support/planted.ts';
import { full, record, seeded } from './support/record.ts';
import { caughtAs } from './support/row.ts';
import { picture } from './support/stage-server.ts';

const random = seeded(12);

/** What may become of the files of a store. */
const tamperings: readonly (readonly [what: string, tamper: (file: string, other: string) => void])[] = [
  [
    'one bit is another',
    (file) => {
      const bytes = readFileSync(file);
      const at = Math.floor(random() * bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
      writeFileSync(file, bytes);
    },
  ],
  ['the end is missing', (file) => truncateSync(file, Math.floor(random() * readFileSync(file).length))],
  ['more follows', (file) => writeFileSync(file, 'x', { flag: 'a' })],
  ['nothing is left', (file) => truncateSync(file, 0)],
  [
    'two have changed places',
    (file, other) => {
      renameSync(file, `${file}.away`);
      renameSync(other, file);
      renameSync(`${file}.away`, other);
    },
  ],
  [
    'it is a link to something else',
    (file, other) => {
      rmSync(file);
      symlinkSync(other, file);
    },
  ],
  [
    'it is a folder',
    (file) => {
      rmSync(file);
      mkdirSync(file);
    },
  ],
  ['it is gone', (file) => rmSync(file)],
];

const mediaBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(^|\/)[0-9a-f]{64}$/.test(name))
    .sort()
    .map((name) => join(folder, name));

describe('a disk that holds something else', () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  /** Play, end, tamper with each file in turn, play. @returns looks at something corrupt, and the times to the whole program */
  async function tamperWithAll(program: Program, times: number, how = tamperings) {
    let [corrupt, tampered] = [0, 0];
    const recoveryMs: number[] = [];
    const codes = new Set<string>();
    lab.resetState();
    for (let time = 0; time < times; time++) {
      for (const [what, tamper] of how) {
        const hashes = lab.server.program(
          [300, 40_000, 2_500_000].map((size) => picture(`${program.bug?.what} ${time} ${what}`, size)),
        );
        const { version } = lab.server;
        const first = lab.start(program);
        await first.shows(version);
        await first.kill();
        const media = mediaBelow(join(lab.stateDirectory, 'store/media'));
        const files = media.filter((file) => hashes.includes(file.slice(-64)));
        assert.equal(files.length, 3);
        tamper(files[time % 3] as string, files[(time + 1) % 3] as string);
        tampered++;
        const run = lab.start(program);
        const seen = hashes.map((hash) =>
          // A player with a planted bug is caught by what it shows in the place of any of them.
          run.until(
            what,
            ({ event, actual, hash: named }) =>
              event === 'eye' && (program.bug === null ? actual === hash : actual !== null && actual !== named),
            0,
            60_000,
          ),
        );
        if (program.bug === null) await Promise.all(seen);
        else await Promise.all(seen).catch(() => undefined);
        recoveryMs.push(performance.now() - run.startedAtMs);
        for (const code of run.codes()) codes.add(code);
        await run.kill();
        corrupt += run.corrupt.length;
      }
      if (times >= 3) process.stderr.write(`F12: ${time + 1} of ${times}\n`);
    }
    return { corrupt, tampered, recoveryMs, codes: [...codes] };
  }

  it('F12 shows nothing of a file that is not what it was, and has it anew', async () => {
    const { corrupt, tampered, recoveryMs, codes } = await tamperWithAll(sound, full ? 6 : 1);
    assert.equal(corrupt, 0);
    // Fetched when it is missed, and not at the next poll, which comes after 49 s at the earliest.
    assert.ok(Math.max(...recoveryMs) < 40_000, `whole again after ${Math.max(...recoveryMs)} ms`);
    assert.match(codes.join(' '), /MEDIA_DIGEST/);
    const planted = await tamperWithAll(await plant(unverified), 1, tamperings.slice(0, 1));
    assert.ok(planted.corrupt > 0, `the row would not notice a player that ${unverified.what}`);
    record({
      row: 'F12',
      fault: `a file of the store: ${tamperings.map(([what]) => what).join(', ')}`,
      n: tampered,
      screen: 'the others, then the whole program',
      reported: codes,
      recoveryMs,
      caught: caughtAs(unverified, `${planted.corrupt} looks at something corrupt`),
    });
  });

  it('F13 starts whatever its index or its playlist have become', async () => {
    const [times, atOnce] = full ? [10_000, 250] : [150, 75];
    lab.resetState();
    lab.server.program([picture('f13 a', 300), picture('f13 b', 400)]);
    const run = lab.start();
    await run.shows(lab.server.version);
    await run.kill();
    const sane = join(lab.folder, 'f13-sane');
    cpSync(lab.stateDirectory, sane, { recursive: true });
    const [index, playlist] = ['store/index.json', 'playlist.json'].map((name) =>
      readFileSync(join(sane, name), 'utf8'),
    ) as [string, string];
    /** The sane folder at this path, but for one of its files: the index at an even number, else the playlist. */
    const mutate = (folder: string, number: number) => {
      rmSync(folder, { recursive: true, force: true });
      cpSync(sane, folder, { recursive: true });
      const [name, text] = number % 2 === 0 ? ['store/index.json', index] : ['playlist.json', playlist];
      writeFileSync(join(folder, name), mutated(text, random));
    };
    /** Start the whole player on such a folder. @returns how long until the right item was on the display */
    const recover = async (number: number): Promise<number> => {
      mutate(lab.stateDirectory, number);
      const started = lab.start();
      const shown = await started.shows(lab.server.version);
      await started.kill();
      assert.deepEqual(started.corrupt, []);
      return shown.atMs - started.startedAtMs;
    };

    const inspect = ({ file }: Program, folders: readonly string[]): Inspection[] => {
      const output = execFileSync(process.execPath, [file, lab.writeSettings(), ...folders], { maxBuffer: 2 ** 26 });
      const lines = output.toString().trim().split('\n');
      return lines.map((line) => JSON.parse(line));
    };
    const inspector: Program = { file: resolve('dist/tests/chaos/child/inspector.mjs'), bug: null };
    const right = (inspect(inspector, [sane])[0]?.items ?? []).map(({ told }) => told);
    assert.equal(right.length, 2);

    /** Mutate, open, look. @returns what is wrong; how many would show all; what was logged */
    const inspectMutated = (program: Program, count: number) => {
      const folders = Array.from({ length: count }, (_, number) => {
        const folder = join(lab.folder, `f13-${number}`);
        mutate(folder, number);
        return folder;
      });
      const inspections = inspect(program, folders);
      const wrong = inspections.flatMap(({ fault, items = [] }) => {
        if (fault !== undefined) return [`the player would not start: ${fault}`];
        if (items.some(({ hash, actual }) => actual !== null && actual !== hash)) return ['something corrupt is shown'];
        const strange = items.find(({ told }) => !right.includes(told));
        return strange === undefined ? [] : [`an item plays that nobody has sent: ${strange.told}`];
      });
      const whole = inspections.filter(({ items = [] }) => items.length === 2 && items.every(({ actual }) => actual));
      return { wrong, whole: whole.length, events: inspections.flatMap(({ events = [] }) => events) };
    };

    const events = new Set<string>();
    const recoveryMs: number[] = [];
    let whole = 0;
    for (let done = 0; done < times; done += atOnce) {
      const seen = inspectMutated(inspector, atOnce);
      assert.deepEqual(seen.wrong, []);
      whole += seen.whole;
      for (const event of seen.events) events.add(event);
      for (const number of [0, 1]) recoveryMs.push(await recover(number));
      if (full) process.stderr.write(`F13: ${done + atOnce} of ${times}\n`);
    }
    const believing = await plant(indexBelieved, 'inspector');
    let [tried, seen] = [0, ''];
    for (; tried < 3_000 && seen === ''; tried += 300) seen = inspectMutated(believing, 300).wrong[0] ?? '';
    assert.notEqual(seen, '', `the row would not notice a player that ${indexBelieved.what}`);
    record({
      row: 'F13',
      fault: 'the index or the kept playlist is mutated',
      n: times,
      screen: `what can be proven at once: all in ${whole}; the rest once it is proven`,
      reported: [...events],
      recoveryMs,
      caught: caughtAs(indexBelieved, `within ${tried} mutations: ${seen}`),
    });
  });
});
