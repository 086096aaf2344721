/** F9, F10, F12, F13: the disk is full, read-only, slow, cannot be read, or holds something else than was written. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Lab, openLab, sleep } from './support/lab.ts';
import { full, seeded } from './support/record.ts';
import { codeReported, stand } from './support/row.ts';
import { SmallDisk } from './support/small-disk.ts';

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
    await stand(lab, { row: 'F9', fault: 'the disk is full at a random byte', code, times: full ? 50 : 3 }, () => ({
      begin: () => lab.layer.set({ quotaBytes: random() * 40_000 }),
      during: (_lab, run, from) => codeReported(run, code, from),
      end: () => lab.layer.heal(),
    }));
  });

  it('F9 a real file system has no byte left', async () => {
    const code = /STORE_FULL/;
    await stand(lab, { row: 'F9', fault: 'a tmpfs without a byte left', code, times: full ? 5 : 1 }, () => {
      const disk = new SmallDisk(lab.stateDirectory, { sizeBytes: diskBytes });
      return {
        disk: () => disk,
        begin: (_lab, run) => disk.fill(run),
        during: (_lab, run, from) => codeReported(run, code, from),
        end: (_lab, run) => disk.empty(run),
      };
    });
  });

  it('F9 a real file system has no inode left', async () => {
    const code = /STORE_INODES_FULL/;
    await stand(lab, { row: 'F9', fault: 'a tmpfs without an inode left', code, times: full ? 5 : 1 }, () => {
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
    });
  });

  it('F10 a real file system is read-only', async () => {
    const code = /STORE_READ_ONLY/;
    await stand(lab, { row: 'F10', fault: 'a tmpfs is mounted read-only', code, times: full ? 10 : 1 }, () => {
      const disk = new SmallDisk(lab.stateDirectory, { sizeBytes: diskBytes });
      return {
        disk: () => disk,
        begin: (_lab, run) => disk.remount(run, 'ro'),
        during: (_lab, run, from) => codeReported(run, code, from),
        end: (_lab, run) => disk.remount(run, 'rw'),
      };
    });
  });

  it('F10 the disk refuses every change', async () => {
    const code = /STORE_READ_ONLY/;
    await stand(lab, { row: 'F10', fault: 'EROFS for every change', code, times: full ? 20 : 1 }, () => ({
      begin: () => lab.layer.set({ readOnly: 1 }),
      during: (_lab, run, from) => codeReported(run, code, from),
      end: () => lab.layer.heal(),
    }));
  });

  it('F10 nothing can be read: items are skipped and fetched anew', async () => {
    const fault = 'EIO for every read';
    const screen = 'nothing of what cannot be read, then the next right one';
    const asserted = 'asserted by its code and by what is shown';
    await stand(
      lab,
      { row: 'F10', fault, code: /MEDIA_DIGEST|STORE_FAILED/, times: full ? 20 : 1, screen, asserted },
      () => ({
        begin: () => lab.layer.set({ readError: 1 }),
        during: async (_lab, run, from) => {
          await codeReported(run, /MEDIA_DIGEST|STORE_FAILED/, from);
          await sleep(200);
        },
        end: () => lab.layer.heal(),
        mayArrive: true,
        mayBlank: true,
      }),
    );
  });

  it('F10 every read, write and sync takes its time', async () => {
    const asserted = 'asserted by what is shown';
    await stand(
      lab,
      { row: 'F10', fault: 'a disk that takes 40 ms for everything', code: /^/, times: full ? 5 : 1, asserted },
      () => ({
        begin: () => lab.layer.set({ slowMs: 40 }),
        during: () => sleep(full ? 10_000 : 3_000),
        end: () => lab.layer.heal(),
        mayArrive: true,
      }),
    );
  });

  it('plays, syncs and starts again where nothing but the state folder can be written', async () => {
    const disk = new SmallDisk(lab.stateDirectory, { sizeBytes: diskBytes, readOnlyRoot: true });
    const asserted = 'asserted by what is shown';
    await stand(
      lab,
      { row: 'F10', fault: 'a read-only root, one writable folder', code: /^/, screen: 'each new program', asserted },
      () => ({
        disk: () => disk,
        begin: () => undefined,
        during: (_lab, run) => run.shows(lab.server.version),
        end: () => undefined,
        mayArrive: true,
      }),
    );
  });
});
