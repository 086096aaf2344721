/** F18: a server that answers, but slowly. Most of it is waited for: in several labs at once. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { answering } from './support/answering.ts';
import * as bugs from './support/bugs.ts';
import { type Lab, openLab, sleep } from './support/lab.ts';
import type { Ordeal } from './support/ordeal.ts';
import { full } from './support/record.ts';
import { stand, stoodStill } from './support/row.ts';
import { type Handler, picture, sha256Of } from './support/stage-server.ts';

/** Files of one program that stand still: all that a player fetches at once from one origin. */
const stillOnes = 4;
/** Files of one program that trickle: fewer than those, so that others pass. */
const slowOnes = 3;
const others = 12;

/** The programs that make fifty files. */
const programs = (ofEach: number) => (full ? Math.ceil(50 / ofEach) : 1);

const inLabs = (count: number, test: (labs: readonly Lab[]) => Promise<void>) => async () => {
  const labs = await Promise.all(Array.from({ length: count }, () => openLab()));
  try {
    await test(labs);
  } finally {
    await Promise.all(labs.map((lab) => lab.close()));
  }
};

let serial = 0;

/** A program in which some files come by `slowly`, and the others at once. */
function partlySlow(lab: Lab, ofThem: number, slowly: (...parts: [...Parameters<Handler>, Buffer]) => void) {
  const slow = Array.from({ length: ofThem }, () => picture(`slow ${serial++}`, 40_000));
  const quick = Array.from({ length: others }, () => picture(`beside ${serial++}`, 40_000));
  const paths = slow.map((bytes) => `/media/${sha256Of(bytes)}`);
  const files = quick.map(sha256Of).map((hash) => join(lab.stateDirectory, 'store/media', hash.slice(0, 2), hash));
  return {
    pictures: () => [...slow, ...quick],
    handler: ((request, response) => {
      const bytes = slow[paths.indexOf(request.url ?? '')];
      if (bytes === undefined) lab.server.answerRightly(request, response);
      else slowly(request, response, bytes);
    }) satisfies Handler,
    /** Of the others, how many are in the player's store. */
    stored: () => files.filter((file) => existsSync(file)).length,
  };
}

describe('a server that is slow', () => {
  it(
    'F18 media that stand still in the middle: the other files come meanwhile',
    inLabs(full ? 7 : 1, (labs) => {
      const fault = {
        row: 'F18',
        fault: 'media that stand still in the middle',
        strikes: stillOnes,
        times: programs(stillOnes),
        screen: 'the old program while the other files come, then the next right one',
        catches: [{ bug: bugs.neverGivesWay, by: /of the other files came/ }],
      } as const;
      return stand(labs, fault, (mine): Ordeal => {
        let [standing, together, came] = [0, 0, 0];
        const { pictures, handler, stored } = partlySlow(mine, stillOnes, (_request, response, bytes) => {
          response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 9_000));
          together = Math.max(together, ++standing);
          response.once('close', () => void standing--);
        });
        return {
          ...answering('media', handler),
          pictures,
          during: async (_lab, run) => {
            // A body that brings nothing is given up after a minute, and gives way before: the others must not wait for that.
            const giveUpAtMs = performance.now() + (run.bug === null ? 50_000 : 25_000);
            while (stored() < others && performance.now() < giveUpAtMs && !run.ended) await sleep(50);
            came = stored();
            if (together < stillOnes) throw new Error(`${together} files stood still at once`);
          },
          verdict: () => (came < others ? `${came} of the other files came` : null),
        };
      });
    }),
  );

  it(
    'F18 headers a byte at a time',
    // The player gives up after 15 s without a whole head.
    inLabs(full ? 6 : 2, (labs) => {
      const fault = {
        row: 'F18',
        fault: 'headers a byte at a time',
        code: /CONNECTION_TIMEOUT|CONNECTION_FAILED/,
        times: full ? 50 : 1,
        catches: [{ bug: bugs.waitsForHeads, by: /not within/ }],
      } as const;
      return stand(labs, fault, () => ({
        ...answering('playlist', ({ socket }) => {
          socket.write('HTTP/1.1 200 OK\r\n');
          const timer = setInterval(() => socket.write('x'), 200);
          socket.once('close', () => clearInterval(timer));
        }),
        during: (_lab, run, from) =>
          run
            .until('given up', ({ event }) => event === 'sync-failed', from, run.bug === null ? 60_000 : 18_000)
            .catch(() => undefined),
      }));
    }),
  );

  it(
    'F18 media at a byte a second: given up, kept, gone on with',
    { skip: full ? false : 'in npm run test:chaos' },
    // The player gives a host up that brings less than 4 KiB a second for a minute.
    inLabs(10, (labs) => {
      const fault = {
        row: 'F18',
        fault: 'media at a byte a second',
        code: /CONNECTION_TIMEOUT/,
        strikes: slowOnes,
        times: programs(slowOnes),
        catches: [{ bug: bugs.bearsTrickles, by: /not within \d+ ms: given up/ }],
      } as const;
      return stand(labs, fault, (lab) => {
        const resumed = new Set<string>();
        let begunAt = 0;
        const { pictures, handler } = partlySlow(lab, slowOnes, (request, response, bytes) => {
          const [, start] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
          if (Number(start) > 0) resumed.add(request.url ?? '');
          let at = Number(start ?? 0);
          const range = { 'content-range': `bytes ${at}-${bytes.length - 1}/${bytes.length}` };
          response.writeHead(at > 0 ? 206 : 200, {
            etag: `"${sha256Of(bytes)}"`,
            'content-length': bytes.length - at,
            ...(at > 0 ? range : {}),
          });
          const timer = setInterval(() => response.write(bytes.subarray(at, ++at)), 1_000);
          response.once('close', () => clearInterval(timer));
        });
        return {
          ...answering('media', handler),
          pictures,
          during: async (_lab, run, from) => {
            begunAt = from;
            const withinMs = run.bug === null ? 200_000 : 75_000;
            await run.until('given up', ({ event }) => event === 'sync-failed', from, withinMs);
            const giveUpAtMs = performance.now() + 60_000;
            while (resumed.size < slowOnes && performance.now() < giveUpAtMs && !run.ended) {
              lab.server.push();
              await sleep(200);
            }
          },
          verdict: (_lab, run) =>
            resumed.size < slowOnes ? `${resumed.size} files were gone on with` : stoodStill(run, begunAt),
        };
      });
    }),
  );
});
