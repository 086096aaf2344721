/** Processes of the player die, hang or run out of memory: the picture comes back, at the item that was on the display. */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { sightOf } from '../mocked/observer.ts';
import { expect, type Player, type Rig, test } from './rig.ts';

const pictures = ['red.png', 'green.png', 'blue.png'] as const;

/** Pictures of one colour each by turns; long enough that what is on the display is known. */
async function playColours(rig: Rig, seconds: readonly number[], names: readonly string[]): Promise<void> {
  const items = await Promise.all(
    names.map(async (name, position) => {
      const media = rig.backend.addMedia(name, await readFile(path.resolve('test/fixtures/clips', name)));
      const asset = {
        id: name,
        type: name.endsWith('.mp4') ? 'video' : 'image',
        title: name,
        asset_url: `${rig.backend.origin}/media/${media.sha256}`,
        md5: media.md5,
        sha256: media.sha256,
        size: media.sizeBytes,
        status: 'finished',
      };
      return { id: name.replace(/\..*/, ''), position, duration: seconds[position % seconds.length], asset };
    }),
  );
  const shared = { predicate: 'TRUE', priority: false, is_enabled: true, transitions: 'cut' } as const;
  rig.backend.setPlaylist({ playlists: [{ id: 'p', title: 'p', ...shared, items }] });
}

async function startColours(rig: Rig, ...seconds: number[]): Promise<Player> {
  await playColours(rig, seconds, pictures);
  return rig.startRegistered();
}

/** Away from the middle, where the pointer rests: it is seen for an instant when a page takes the place of another. */
const sight = (rig: Rig) => sightOf(rig.display.pixel(200, 200));

/** Waits until an item has just come onto the display; the number of lines in the log by then. */
async function untilShown(player: Player, itemId: string): Promise<number> {
  await player.logged('item-shown', { itemId }, player.log.length);
  return player.log.length;
}

const rendererPid = (player: Player) =>
  player.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId() ?? 0);

const gpuPid = (player: Player) =>
  player.app.evaluate(({ app }) => app.getAppMetrics().find(({ type }) => type === 'GPU')?.pid ?? 0);

/** The items shown from a line of the log on, in order. */
const shownFrom = (player: Player, from: number) =>
  player.log.slice(from).flatMap((line) => (line.event === 'item-shown' ? [String(line['itemId'])] : []));

/** Does something to the page that ends it; it need not answer any more. */
const inPage = (player: Player, code: string) =>
  player.app.evaluate(
    ({ BrowserWindow }, text) =>
      void BrowserWindow.getAllWindows()[0]
        ?.webContents.executeJavaScript(text)
        .catch(() => {}),
    code,
  );

for (const { what, harm } of [
  { what: 'is killed', harm: async (player: Player) => void process.kill(await rendererPid(player), 'SIGKILL') },
  { what: 'is stopped', harm: async (player: Player) => void process.kill(await rendererPid(player), 'SIGSTOP') },
  { what: 'is in an endless loop without input', harm: (player: Player) => inPage(player, 'for (;;);') },
  {
    what: 'has no heap left',
    harm: async (player: Player) => {
      // V8 asks for its heap piece by piece; the kernel refuses from here on, long before the machine's memory is gone.
      const pid = await rendererPid(player);
      const kilobytes = /^VmData:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
      execFileSync('prlimit', ['--pid', String(pid), `--data=${(Number(kilobytes) + 131_072) * 1024}`]);
      await inPage(player, 'const kept = []; for (;;) kept.push(new Array(1e5).fill({}));');
    },
  },
  {
    what: 'cannot allocate',
    harm: async (player: Player) => {
      await inPage(player, 'const kept = []; for (;;) kept.push(new Uint8Array(2 ** 28).fill(1));');
      // Chromium ends a page that asks for more than there is; one that is only slow about it is ended by its silence.
    },
  },
]) {
  test(`a page that ${what} comes back at the item that was on the display`, async ({ rig }) => {
    const player = await startColours(rig, 3, 20, 20);
    // Not the first: a page that begins at the beginning would not be told from one that does not.
    await untilShown(player, 'green');
    await expect.poll(() => sight(rig)).toBe('green');
    const from = player.log.length;
    const atMs = Date.now();
    await harm(player);
    const gone = await player.logged('page-gone', {}, from);
    await player.logged('item-shown', {}, player.log.indexOf(gone));
    test.info().annotations.push({ type: 'ms', description: String(Date.now() - atMs) });
    await expect.poll(() => sight(rig)).toBe('green');
    expect(shownFrom(player, from)).toEqual(['green']);
    await player.stop();
  });
}

test('a page that dies with the same item again goes on behind it', async ({ rig }) => {
  const player = await startColours(rig, 3, 20, 20);
  await untilShown(player, 'green');
  for (const again of [true, false]) {
    // Until the next one stands ready: a page that dies while it opens a file may have died of that file.
    await after(1_500);
    const from = player.log.length;
    process.kill(await rendererPid(player), 'SIGKILL');
    await player.logged('item-shown', {}, from);
    // Behind it comes blue, which was only prepared as the page died, and is not to blame.
    expect(shownFrom(player, from)).toEqual([again ? 'green' : 'blue']);
  }
  expect(player.log.filter(({ event }) => event === 'media-kills-page')).toEqual([]);
  await player.stop();
});

test('twenty losses of the GPU process in a row end neither player nor program; the next start draws in software', async ({
  rig,
}) => {
  test.setTimeout(240_000);
  const player = await startColours(rig, 1);
  for (let count = 0; count < 20; count += 1) {
    await expect.poll(() => gpuPid(player), { timeout: 20_000 }).not.toBe(0);
    const from = player.log.length;
    process.kill(await gpuPid(player), 'SIGKILL');
    await player.logged('graphics-lost', {}, from);
  }
  const from = player.log.length;
  await player.logged('item-shown', { itemId: 'red' }, from);
  await player.logged('item-shown', { itemId: 'green' }, from);
  await expect.poll(() => sight(rig), { intervals: [5], timeout: 20_000 }).toBe('blue');
  await player.logged('graphics-software-next');
  await player.stop();
  const second = await rig.start();
  await second.logged('graphics-software');
  await second.logged('item-shown');
  await expect.poll(() => sight(rig), { intervals: [5], timeout: 20_000 }).toBe('green');
  await second.stop();
});

test('a page that has grown old is replaced by a fresh one without a gap', async ({ rig }) => {
  rig.settings = { page: { recycleAfterHours: 0.001 } };
  const player = await startColours(rig, 3);
  await expect.poll(() => sight(rig)).toBe('red');
  const old = await rendererPid(player);
  const sights: string[] = [];
  const timer = setInterval(() => {
    const seen = sight(rig);
    if (sights.at(-1) !== seen) sights.push(seen);
  }, 2);
  await player.logged('page-recycled');
  const from = player.log.length;
  await player.logged('item-shown', {}, from);
  await player.logged('item-shown', {}, player.log.length);
  clearInterval(timer);
  expect(sights).not.toContain('dark');
  const order = ['red', 'green', 'blue'];
  for (const [at, seen] of sights.entries()) {
    const next = sights[at + 1];
    if (next !== undefined) expect(next, sights.join(' ')).toBe(order[(order.indexOf(seen) + 1) % 3]);
  }
  const pages = () =>
    player.app.evaluate(({ app }) => app.getAppMetrics().flatMap(({ type, pid }) => (type === 'Tab' ? [pid] : [])));
  // A view begins with a process that its first load exchanges, so there are up to three while a successor opens; none stays.
  await expect.poll(pages, { intervals: [100], timeout: 20_000 }).toHaveLength(1);
  expect(await pages()).not.toContain(old);
  expect(player.log.filter(({ event }) => event === 'ipc-refused')).toEqual([]);
  await player.stop();
});
