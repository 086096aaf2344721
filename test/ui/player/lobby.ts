/** One registered player for a whole file: a web site that it may show, one that it may not, and items in turn. */
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { type Site, startSite } from '../../support/page-site.ts';
import { test as base, expect, type LogLine, type Player, type Rig, withRig } from './rig.ts';

export interface Lobby {
  readonly rig: Rig;
  readonly player: Player;
  /** Allowed by the settings, as a page of a private network must be. */
  readonly site: Site;
  /** Another site, allowed likewise. */
  readonly neighbour: Site;
  /** The reference server by another name: allowed, but of an authority that nobody trusts. */
  readonly untrusted: string;
  /** Not allowed. */
  readonly stranger: Site;
  /** Plays these assets in turn with a red picture before the first; the number of log lines before that. */
  show(...assets: readonly Asset[]): number;
  /** The colour in the middle of the display, such as `0,255,0`. */
  middle(): string;
  seen(colour: string): Promise<void>;
}

export interface Asset {
  readonly id: string;
  readonly type?: string;
  readonly asset_url: string;
  readonly duration?: number;
  readonly [field: string]: unknown;
}

/** Colours of pages: nothing else on the display has them. */
export const colours = { green: '0,255,0', blue: '0,0,255', red: '255,0,0' } as const;

/** Of the operator's overlay. */
export const pin = '271828';

async function writePin(rig: Rig): Promise<string> {
  const file = path.join(rig.folder, 'operator-pin');
  await writeFile(file, `${pin}\n`, { mode: 0o600 });
  return file;
}

type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

async function openLobby(rig: Rig, [site, neighbour, stranger]: readonly Site[], more: Settings): Promise<Lobby> {
  if (!site || !neighbour || !stranger) throw new Error('three sites are needed');
  const red = rig.backend.addMedia('red.png', await readFile(path.resolve('test/fixtures/clips/red.png')));
  const picture: Asset = {
    id: 'picture',
    type: 'image',
    asset_url: `${rig.backend.origin}/media/${red.sha256}`,
    duration: 0.5,
  };
  let shows = 0;
  const set = (assets: readonly Asset[]) => {
    shows += 1;
    const items = assets.map(({ duration = 1.5, ...asset }, position) => ({
      id: `${asset.id}-${shows}-${position}`,
      position,
      duration,
      asset: { type: 'web', title: asset.id, status: 'finished', ...asset },
    }));
    const shared = { title: 'p', predicate: 'TRUE', priority: false, is_enabled: true, transitions: false };
    rig.backend.setPlaylist({ playlists: [{ id: 'p', ...shared, items }] });
  };
  set([picture]);
  const untrusted = `https://127.0.0.1:${new URL(rig.backend.origin).port}`;
  rig.settings = {
    network: {
      allowHttpFor: [site.origin, neighbour.origin, stranger.origin],
      allowPrivatePages: [site.origin, neighbour.origin, untrusted],
    },
    sound: { volume: 50 },
    operator: { pinFile: await writePin(rig) },
    ...more,
  };
  const player = await rig.start();
  rig.backend.claim(await player.shownPin(), 'Lobby');
  await player.logged('item-shown');
  await expect.poll(() => rig.backend.openStreams()).toBe(1);
  const middle = () => rig.display.pixel(640, 360).join(',');
  return {
    rig,
    player,
    site,
    neighbour,
    untrusted,
    stranger,
    show(...assets) {
      const from = player.log.length;
      set([picture, ...assets]);
      return from;
    },
    middle,
    seen: (colour) => expect.poll(middle, { timeout: 30_000, intervals: [50] }).toBe(colour),
  };
}

/** Gives a lobby of its own, with settings of its own, to `use` and takes it apart afterwards. */
export async function withLobby(more: Settings, use: (lobby: Lobby) => Promise<void>): Promise<void> {
  const sites = [await startSite(), await startSite(), await startSite()];
  await withRig(async (rig) => {
    const lobby = await openLobby(rig, sites, more);
    await use(lobby);
    await lobby.player.stop();
  });
  await Promise.all(sites.map((site) => site.close()));
}

export const test = base.extend<object, { lobby: Lobby }>({
  lobby: [
    // biome-ignore lint/correctness/noEmptyPattern: the runner reads the names of the fixtures from the pattern
    async ({}, use) => withLobby({}, use),
    { scope: 'worker', timeout: 120_000 },
  ],
});

/** The line that tells of an item of an asset, whatever its number. */
export async function told(lobby: Lobby, event: string, asset: string, from: number): Promise<LogLine> {
  let found: LogLine | undefined;
  const logged = () => lobby.player.log.slice(from).slice(-8);
  await expect
    .poll(
      () => {
        found = lobby.player.log
          .slice(from)
          .find((line) => line.event === event && String(line['itemId'] ?? '').startsWith(`${asset}-`));
        return found === undefined
          ? ['not logged; the last lines:', ...logged().map((line) => JSON.stringify(line))]
          : [];
      },
      // Often: what is asked next is to be asked while the item is on the display.
      { message: `${event} ${asset}`, timeout: 30_000, intervals: [50] },
    )
    .toEqual([]);
  return found as LogLine;
}

/** A document of one colour. */
export const filled = (colour: string, more = '') =>
  `<!doctype html><body style="margin:0;height:100vh;background:rgb(${colour})">${more}</body>`;

/** The process of the page whose address ends so; 0 where there is none. */
export async function viewPid(lobby: Lobby, path: string): Promise<number> {
  return lobby.player.app.evaluate(
    ({ webContents }, ending) =>
      webContents
        .getAllWebContents()
        .find((one) => one.getURL().endsWith(ending))
        ?.getOSProcessId() ?? 0,
    path,
  );
}

/** What an expression means to the page whose address ends so, asked as if a hand had just touched it where `touched`. */
export async function askView(lobby: Lobby, path: string, expression: string, touched = false): Promise<unknown> {
  return lobby.player.app.evaluate(
    ({ webContents }, [ending, code, gesture]) =>
      webContents
        .getAllWebContents()
        .find((one) => one.getURL().endsWith(ending))
        ?.executeJavaScript(code, gesture),
    [path, expression, touched] as const,
  );
}

/** What is seen in the middle of the display from now on, each sight once; asked every 2 ms. */
export function watchMiddle(lobby: Lobby): () => readonly string[] {
  const sights: string[] = [];
  const timer = setInterval(() => {
    const seen = lobby.middle();
    if (sights.at(-1) !== seen) sights.push(seen);
  }, 2);
  return () => {
    clearInterval(timer);
    return sights;
  };
}

const known = new Set<string>(Object.values(colours));
/** Sights that are of no picture and no page: an empty stage, a screen, a browser's own page. */
export const foreign = (sights: readonly string[]) => sights.filter((seen) => !known.has(seen));

/** Answers with a document the first time only, so that a long item does not come again and hold up the next test. */
export function onlyOnce(document: string) {
  let asked = false;
  return (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(asked ? 404 : 200, { 'content-type': 'text/html' }).end(asked ? '' : document);
    asked = true;
  };
}

export { expect };
