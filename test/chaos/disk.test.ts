/** F9, F10, F12, F13: the disk is full, read-only, slow, cannot be read, or holds something else than was written. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  evictsShown,
  givesUpReadOnly,
  inodesForgotten,
  publishesAnyway,
  syncErrorsSwallowed,
  writesElsewhere,
  writesInTheWay,
  zerosForErrors,
} from './support/bugs.ts';
import { type Lab, openLab, sleep } from './support/lab.ts';
import { full, seeded } from './support/record.ts';
import { codeReported, stand, stoodStill } from './support/row.ts';
import { SmallDisk } from './support/small-disk.ts';
import { picture } from './support/stage-server.ts';

const random = seeded(9);
const diskBytes = 32 * 2 ** 20;

describe('a disk that fails', () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  it('F9 the disk is full after so many bytes', async () => {
    const code = /STORE_FULL/;
    await stand(
      lab,
      {
        row: 'F9',
        fault: 'the disk is full at a random byte',
        code,
        times: full ? 100 : 3,
        catches: [{ bug: publishesAnyway, by: /was shown|an empty display/ }],
      },
      () => ({
        begin: () => lab.layer.set({ quotaBytes: random() * 40_000 }),
        during: (_lab, run, from) => codeReported(run, code, from),
        end: () => lab.layer.heal(),
      }),
    );
  });

  it('F9 a real file system has no byte left', async () => {
    const code = /STORE_FULL/;
    await stand(
      lab,
      {
        row: 'F9',
        fault: 'a tmpfs without a byte left',
        code,
        times: full ? 100 : 1,
        catches: [{ bug: evictsShown, by: /an empty display/ }],
      },
      () => {
        const disk = new SmallDisk(lab.stateDirectory, { sizeBytes: diskBytes });
        return {
          disk: () => disk,
          begin: (_lab, run) => {
            // Whoever made room for them wrongly waits for them a while.
            lab.server.faults.media = (...exchange) =>
              void setTimeout(() => lab.server.answerRightly(...exchange), 500);
            disk.fill(run);
          },
          during: (_lab, run, from) => codeReported(run, code, from),
          end: (_lab, run) => {
            delete lab.server.faults.media;
            disk.empty(run);
          },
        };
      },
    );
  });

  it('F9 a real file system has no inode left', async () => {
    const code = /STORE_INODES_FULL/;
    await stand(
      lab,
      {
        row: 'F9',
        fault: 'a tmpfs without an inode left',
        code,
        times: full ? 100 : 1,
        catches: [{ bug: inodesForgotten, by: /not reported.*\(.*STORE_FULL/ }],
      },
      () => {
        const disk = new SmallDisk(lab.stateDirectory, { sizeBytes: diskBytes, inodes: 200 });
        let made = 0;
        return {
          disk: () => disk,
          begin: (_lab, run) => {
            made = disk.fillInodes(run);
            assert.ok(made > 10, 'the disk was not full before');
          },
          during: (_lab, run, from) => codeReported(run, code, from),
          end: (_lab, run) => disk.empty(run, made),
        };
      },
    );
  });

  it('F10 a real file system is read-only', async () => {
    const code = /STORE_READ_ONLY/;
    await stand(
      lab,
      {
        row: 'F10',
        fault: 'a tmpfs is mounted read-only',
        code,
        times: full ? 50 : 1,
        catches: [{ bug: givesUpReadOnly, by: /not within/ }],
      },
      () => {
        const disk = new SmallDisk(lab.stateDirectory, { sizeBytes: diskBytes });
        return {
          disk: () => disk,
          begin: (_lab, run) => disk.remount(run, 'ro'),
          during: (_lab, run, from) => codeReported(run, code, from),
          end: (_lab, run) => disk.remount(run, 'rw'),
        };
      },
    );
  });

  it('F10 the disk refuses every change', async () => {
    const code = /STORE_READ_ONLY/;
    await stand(
      lab,
      {
        row: 'F10',
        fault: 'EROFS for every change',
        code,
        times: full ? 50 : 1,
        catches: [{ bug: publishesAnyway, by: /was shown|an empty display/ }],
      },
      () => ({
        begin: () => lab.layer.set({ readOnly: 1 }),
        during: (_lab, run, from) => codeReported(run, code, from),
        end: () => lab.layer.heal(),
      }),
    );
  });

  it('F10 nothing can be read: items are skipped and fetched anew', async () => {
    const code = /MEDIA_DIGEST|STORE_FAILED/;
    await stand(
      lab,
      {
        row: 'F10',
        fault: 'EIO for every read',
        code,
        times: full ? 50 : 1,
        screen: 'nothing of what cannot be read, then the next right one',
        catches: [{ bug: zerosForErrors, by: /something corrupt/ }],
      },
      () => ({
        begin: () => lab.layer.set({ readError: 1 }),
        during: async (_lab, run, from) => {
          await codeReported(run, code, from);
          await sleep(200);
        },
        end: () => lab.layer.heal(),
        mayArrive: true,
        mayBlank: true,
      }),
    );
  });

  it('F10 nothing can be made durable: it is not taken for stored, and is written anew', async () => {
    const code = /STORE_FAILED/;
    await stand(
      lab,
      {
        row: 'F10',
        fault: 'EIO for every fsync',
        code,
        times: full ? 50 : 1,
        catches: [{ bug: syncErrorsSwallowed, by: /was shown/ }],
      },
      () => ({
        begin: () => lab.layer.set({ syncError: 1 }),
        during: (_lab, run, from) => codeReported(run, code, from),
        end: () => lab.layer.heal(),
      }),
    );
  });

  it('F10 every read, write and sync takes its time', async () => {
    let number = 0;
    await stand(
      lab,
      {
        row: 'F10',
        fault: 'a disk that takes 40 ms for everything',
        times: full ? 50 : 1,
        screen: 'the old program, then the new one, item after item',
        catches: [{ bug: writesInTheWay, by: /stood still/ }],
      },
      () => {
        let from = 0;
        return {
          begin: (_lab, run) => {
            from = run.said.length;
            lab.layer.set({ slowMs: 40 });
          },
          pictures: () => [picture(`slow ${number++}`, 600_000), picture(`slow ${number++}`, 300)],
          during: (_lab, run) => run.shows(lab.server.version),
          end: () => lab.layer.heal(),
          mayArrive: true,
          verdict: (_lab, run) => stoodStill(run, from),
        };
      },
    );
  });

  it('plays, syncs and starts again where nothing but the state folder can be written', async () => {
    await stand(
      lab,
      {
        row: 'F10',
        fault: 'a read-only root, one writable folder',
        times: full ? 10 : 1,
        screen: 'each new program',
        catches: [{ bug: writesElsewhere, by: /not within.*\n[\s\S]*STORE_/ }],
      },
      () => ({
        disk: () => new SmallDisk(lab.stateDirectory, { sizeBytes: diskBytes, readOnlyRoot: true }),
        begin: () => undefined,
        during: (_lab, run) => run.shows(lab.server.version),
        end: () => undefined,
        mayArrive: true,
      }),
    );
  });
});
