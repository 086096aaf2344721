/** Kills in the middle of a sync, and a clock that is set, with the whole player; more of them are in test/chaos. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { FaultLayer } from '../../chaos/support/fault-layer.ts';
import { expect, type LogLine, type Player, type Rig, test } from './rig.ts';

const kills = 5;
const hourMs = 3_600_000;

/** A program of pictures that nobody has yet, each of 2 MiB: what follows a PNG's end is not looked at. */
async function program(rig: Rig, name: string, predicates: readonly string[], picturesEach: number): Promise<void> {
  const png = await readFile(path.resolve('test/fixtures/clips/red.png'));
  const playlists = predicates.map((predicate, place) => ({
    id: `p${place}`,
    title: 'p',
    predicate,
    priority: false,
    is_enabled: true,
    transitions: false,
    items: Array.from({ length: picturesEach }, (_, position) => {
      const id = `${name}-${place}-${position}`;
      const media = rig.backend.addMedia(`${id}.png`, Buffer.concat([png, randomBytes(2 * 2 ** 20)]));
      const asset = {
        id: `asset-${id}`,
        type: 'image',
        title: id,
        asset_url: `${rig.backend.origin}/media/${media.sha256}`,
        md5: 'skip_md5',
        sha256: media.sha256,
        size: media.sizeBytes,
        headers: {},
        status: 'finished',
      };
      return { id, position, duration: 1, asset };
    }),
  }));
  rig.backend.setPlaylist({ playlists });
}

/** Names of the programs whose items were on the display. */
function shown(player: Player): string[] {
  const items = player.log.filter(({ event }) => event === 'item-shown').map(({ itemId }) => String(itemId));
  return [...new Set(items.map((itemId) => itemId.split('-')[0] ?? ''))];
}

async function showsProgram(player: Player, prefix: string, from = 0): Promise<void> {
  const isThere = () =>
    player.log.slice(from).some(({ event, itemId }) => event === 'item-shown' && String(itemId).startsWith(prefix));
  await expect.poll(isThere, { timeout: 60_000 }).toBe(true);
}

test('killed at random instants of a sync: plays at once what was whole, and ends the sync', async ({ rig }) => {
  test.setTimeout(240_000);
  let player = await rig.startRegistered();
  await program(rig, 'v0', ['TRUE'], 3);
  await showsProgram(player, 'v0-');
  let midSync = 0;
  for (let kill = 1; kill <= kills; kill++) {
    await expect.poll(() => rig.backend.openStreams(), { timeout: 60_000 }).toBe(1);
    const from = player.log.length;
    await program(rig, `v${kill}`, ['TRUE'], 6);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
    await player.kill();
    if (!player.log.slice(from).some(({ event }) => event === 'playlist-published')) midSync++;
    player = await rig.start();
    await player.logged('item-shown');
    await showsProgram(player, `v${kill}-`);
    expect([`v${kill - 1}`, `v${kill}`]).toEqual(expect.arrayContaining(shown(player)));
    // An item that a busy machine has not ready in time is passed over; one that is not whole fails for another reason.
    const isWrong = ({ event, reason }: LogLine) =>
      ['media-damaged', 'last-good-playlist-damaged'].includes(event) ||
      (event === 'item-failed' && reason !== 'deadline');
    expect(player.log.filter(isWrong)).toEqual([]);
  }
  expect(midSync).toBeGreaterThan(0);
  await player.stop();
});

test('the clock is set forth and back: the right program plays, and the player lives on', async ({ rig }) => {
  test.setTimeout(240_000);
  const layer = new FaultLayer(rig.stateDirectory, path.join(rig.folder, 'control'));
  const { environment } = rig;
  rig.environment = () => ({ ...environment(), ...layer.environment });
  const player = await rig.startRegistered();
  const turnMs = Date.now() + hourMs;
  await program(rig, 'day', [`$DATE < ${turnMs}`, `$DATE >= ${turnMs}`], 1);
  await showsProgram(player, 'day-0');
  const year = 365 * 24 * hourMs;
  for (const [offsetMs, place] of [
    [hourMs + 60_000, 1],
    [0, 0],
    [-year, 0],
    [year, 1],
    [0, 0],
  ] as const) {
    const from = player.log.length;
    layer.set({ clockOffsetMs: offsetMs });
    await player.logged('clock-jumped', {}, from);
    await showsProgram(player, `day-${place}`, player.log.length);
    const after = player.log.length;
    await showsProgram(player, `day-${place}`, after);
    const wrong = player.log.slice(after).filter(({ itemId }) => String(itemId).startsWith(`day-${1 - place}`));
    expect(wrong).toEqual([]);
  }
  await player.stop();
  layer.close();
});
