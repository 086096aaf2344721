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
import { type Kind, type Lab, openLab } from './support/lab.ts';
import { mutated } from './support/mutation.ts';
import { full, record, seeded } from './support/record.ts';
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
  async function tamperWithAll(kind: Kind, times: number, how = tamperings) {
    let [corrupt, tampered] = [0, 0];
    const recoveryMs: number[] = [];
    const codes = new Set<string>();
    lab.resetState();
    for (let time = 0; time < times; time++) {
      for (const [what, tamper] of how) {
        const hashes = lab.server.program(
          [300, 40_000, 2_500_000].map((size) => picture(`${kind} ${time} ${what}`, size)),
        );
        const { version } = lab.server;
        const first = lab.start(kind);
        await first.shows(version);
        await first.kill();
        const media = mediaBelow(join(lab.stateDirectory, kind === 'naive' ? 'naive' : 'store/media'));
        const files = media.filter((file) => hashes.includes(file.slice(-64)));
        assert.equal(files.length, 3);
        tamper(files[time % 3] as string, files[(time + 1) % 3] as string);
        tampered++;
        const run = lab.start(kind);
        const whole = hashes.map((hash) =>
          run.until(
            what,
            (line) => line.event === 'eye' && line['actual'] === hash,
            0,
            kind === 'naive' ? 1_000 : 60_000,
          ),
        );
        const ends = await Promise.allSettled(whole);
        if (kind === 'headless') for (const end of ends) if (end.status === 'rejected') throw end.reason;
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
    const { corrupt, tampered, recoveryMs, codes } = await tamperWithAll('headless', full ? 6 : 1);
    assert.equal(corrupt, 0);
    // Fetched when it is missed, and not at the next poll, which comes after 49 s at the earliest.
    assert.ok(Math.max(...recoveryMs) < 40_000, `whole again after ${Math.max(...recoveryMs)} ms`);
    assert.match(codes.join(' '), /MEDIA_DIGEST/);
    const naive = await tamperWithAll('naive', 1, tamperings.slice(0, 2));
    assert.ok(naive.corrupt > 0, 'the row would not notice a player that takes what has a name for whole');
    record({
      row: 'F12',
      fault: `a file of the store: ${tamperings.map(([what]) => what).join(', ')}`,
      n: tampered,
      screen: 'the others, then the whole program',
      reported: codes,
      recoveryMs,
      caught: `${naive.corrupt} looks at something corrupt`,
    });
  });

  it('F13 starts whatever its index or its playlist have become', async () => {
    const [times, atOnce] = full ? [5_000, 250] : [150, 75];
    lab.resetState();
    const hashes = lab.server.program([picture('f13 a', 300), picture('f13 b', 400)]);
    const run = lab.start();
    await run.shows(lab.server.version);
    await run.kill();
    const [index, playlist] = ['store/index.json', 'playlist.json'].map((name) =>
      readFileSync(join(lab.stateDirectory, name), 'utf8'),
    ) as [string, string];
    const events = new Set<string>();
    let [believed, whole] = [0, 0];
    for (let done = 0; done < times; done += atOnce) {
      const folders = Array.from({ length: atOnce }, (_, number) => {
        const folder = join(lab.folder, `f13-${number}`);
        rmSync(folder, { recursive: true, force: true });
        cpSync(lab.stateDirectory, folder, { recursive: true });
        const [name, text] = number % 2 === 0 ? ['store/index.json', index] : ['playlist.json', playlist];
        const bytes = mutated(text, random);
        writeFileSync(join(folder, name), bytes);
        if (number % 2 === 0 && !isReadable(bytes.toString(), hashes)) believed++;
        return folder;
      });
      const program = resolve('dist/tests/chaos/child/inspector.mjs');
      const output = execFileSync(process.execPath, [program, lab.writeSettings(), ...folders], { maxBuffer: 2 ** 26 });
      for (const line of output.toString().trim().split('\n')) {
        const { fault, items = [], events: said = [], directory } = JSON.parse(line) as Inspection;
        assert.equal(fault, undefined, `${directory}: the player would not start`);
        const wrong = items.filter(({ hash, actual }) => actual !== null && actual !== hash);
        assert.deepEqual(wrong, [], `${directory}: something corrupt would be shown`);
        if (items.length > 0 && items.every(({ actual }) => actual !== null)) whole++;
        for (const event of said) events.add(event);
      }
      if (full) process.stderr.write(`F13: ${done + atOnce} of ${times}\n`);
    }
    assert.ok(believed > times / 8, 'hardly a mutation would have harmed a reader that believes the index');
    record({
      row: 'F13',
      fault: 'the index or the kept playlist is mutated',
      n: times,
      screen: `what can be proven at once: all in ${whole}; the rest once it is proven`,
      reported: [...events],
      recoveryMs: [],
      caught: `a reader that believes the index: wrong in ${believed} of ${times / 2}`,
    });
  });
});

/** What a reader makes of an index that believes it: it does not throw, and names the files that are there. */
function isReadable(text: string, hashes: readonly string[]): boolean {
  try {
    const { media } = JSON.parse(text.slice(text.indexOf('\n') + 1)) as { media: { hash: string; chunks: string }[] };
    return hashes.every((hash) => media.some((entry) => entry.hash === hash && Buffer.from(entry.chunks, 'base64')));
  } catch {
    return false;
  }
}
