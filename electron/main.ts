import { join } from 'node:path';
import { app, Menu, powerSaveBlocker, protocol } from 'electron';
import { obeyCommandLine } from './assembly/command-line.ts';
import { openContent } from './assembly/content.ts';
import { createFactBook, type FactBook, nothingKnown } from './assembly/facts.ts';
import { watchGraphics } from './assembly/graphics.ts';
import { openDesk } from './assembly/operator.ts';
import { createWebPages, type WebPages } from './assembly/pages.ts';
import { openScreen } from './assembly/screen.ts';
import { startUpdates } from './assembly/update-start.ts';
import { waitFor } from './assembly/waiting.ts';
import { asPlayerError, PlayerError } from './errors.ts';
import { createSnapshotFeed } from './ipc/push.ts';
import { createLog, type Log } from './log.ts';
import { makeStateFolder } from './private-file.ts';
import { loadRegistration, registrationFile } from './registration/state-file.ts';
import { readSettings, type Settings } from './settings.ts';
import { type Ending, leave, watchEnding } from './shell/ending.ts';
import { lockDown } from './shell/lockdown.ts';
import type { Page } from './shell/page.ts';
import { playerScheme } from './shell/scheme.ts';
import { holdStateFolder } from './shell/single-instance.ts';
import { assertSafeStart } from './shell/switches.ts';
import { updateFolder } from './updates/folder.ts';
import { openTrial } from './updates/trial.ts';

/** The version in package.json, written in when the player is bundled. */
declare const __PLAYER_VERSION__: string;

/** How often the clock is looked at for a grace period that has ended. */
const refreshMs = 5_000;
/** How long the first picture may hold up key, server and sync. */
const longestHeadStartMs = 1_500;

function main(): void {
  assertSafeStart(process.argv.slice(1), process.env);
  obeyCommandLine(app);
  const settings = readSettings(process.argv.slice(1), process.env);
  const log = createLog((line) => process.stdout.write(`${line}\n`), settings.log.level, Date.now);
  const webPages = createWebPages(settings, log);
  prepareElectron(settings, webPages, log);
  const ending = watchEnding(app, log);
  watchGraphics(app, settings.state.directory, log, () =>
    ending.fail(new PlayerError('INTERNAL', 'the GPU process does not stay alive')),
  );
  app
    .whenReady()
    .then(() => play(settings, webPages, log, ending))
    .catch((thrown: unknown) => (ending.stop.aborted ? ending.finish() : ending.fail(thrown)));
}

/** What must be done before Electron is ready. */
function prepareElectron(settings: Settings, webPages: WebPages, log: Log): void {
  makeStateFolder(settings.state.directory);
  app.enableSandbox();
  app.setPath('userData', join(settings.state.directory, 'chromium'));
  protocol.registerSchemesAsPrivileged([playerScheme]);
  Menu.setApplicationMenu(null);
  lockDown(app, log, webPages.lockdown);
}

/** Build the parts in the order of the path and let them live. */
async function play(settings: Settings, webPages: WebPages, log: Log, ending: Ending): Promise<void> {
  await holdStateFolder(settings.state.directory);
  const playerVersion = __PLAYER_VERSION__;
  log.info('player-started', { version: playerVersion, reason: `electron ${process.versions.electron}` });
  powerSaveBlocker.start('prevent-display-sleep');
  const { language, theme, rotate = null } = settings.display;
  const sound = { volume: settings.sound.volume / 100, muted: settings.sound.muted };
  const about = { hostname: settings.identity.hostname, playerVersion, keyProtection: 'none', sound } as const;
  let page: Page | null = null;
  const feed = createSnapshotFeed(
    { ...about, state: 'starting', screenName: null, notice: null, look: { language, theme, rotation: rotate ?? 0 } },
    (channel, payload) => page?.send(channel, payload),
    log,
  );
  const claimUrl = settings.server.claimUrl ?? `${settings.server.origin}/claim`;
  const known = { ...about, ...nothingKnown, look: { language, theme, rotation: rotate }, claimUrl };
  const facts = createFactBook(known, settings.policy, Date.now, feed.publish);
  const state = () => feed.current().state;
  const trial = openTrial({ env: process.env, folder: updateFolder(settings.state.directory), state, log });
  const firstShown = new AbortController();
  const reading = readDisk(settings, facts, log);
  page = openScreen({
    feed,
    content: reading.then(({ content }) => content),
    firstShown: () => firstShown.abort(),
    bounds: settings.page,
    openDesk: (made) => openDesk({ settings, facts, current: feed.current, page: made, log }),
    giveUp: () => ending.fail(new PlayerError('INTERNAL', 'the page does not stay alive')),
    webPages,
    trial,
    log,
  });
  setInterval(facts.refresh, refreshMs);
  const { registration, content } = await reading;
  // The first picture comes before the work that only the network needs.
  if (feed.current().state === 'playing') await waitFor(longestHeadStartMs, firstShown.signal).catch(() => undefined);
  startUpdates({ settings, playerVersion, trial, state, quit: () => app.quit(), log }, ending.stop);
  const { live } = await import('./assembly/life.ts');
  const parts = { settings, playerVersion, initial: registration, facts, content, log, forgetContent: content.forget };
  await live(parts, ending.stop);
}

/** What was on the disk at the last exit, told to the page in one piece. */
async function readDisk(settings: Settings, facts: FactBook, log: Log) {
  const registration = await loadRegistration(registrationFile(settings.state.directory), log);
  const content = await openContent(settings, facts, log);
  facts.update({ registration });
  return { registration, content };
}

try {
  main();
} catch (thrown) {
  leave(app, asPlayerError(thrown));
}
