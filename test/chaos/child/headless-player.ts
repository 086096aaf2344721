/**
 * The player without its window: everything that the main process does with settings, state folder, server and store,
 * and in the page's place an eye that looks at what would be on the display and says which bytes those were.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openContent } from '../../../electron/assembly/content.ts';
import { createFactBook } from '../../../electron/assembly/facts.ts';
import { live } from '../../../electron/assembly/life.ts';
import { asPlayerError } from '../../../electron/errors.ts';
import type { Program, Snapshot } from '../../../electron/ipc/contract.ts';
import { createLog } from '../../../electron/log.ts';
import { makeStateFolder } from '../../../electron/private-file.ts';
import { loadRegistration, registrationFile } from '../../../electron/registration/state-file.ts';
import { readSettings } from '../../../electron/settings.ts';

type Content = Awaited<ReturnType<typeof openContent>>;

/** How long the eye looks at one item. */
const lookMs = 20;

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** The digest of the bytes that would go to the display, read as the page reads them. */
async function digestOnDisplay(content: Content, hash: string): Promise<string | null> {
  const media = content.locate(hash);
  if (media === null) return null;
  const digest = createHash('sha256');
  try {
    for await (const bytes of content.read(media.hash, 0, media.sizeBytes - 1)) digest.update(bytes);
  } catch {
    return null;
  }
  return digest.digest('hex');
}

/** The most memory that this process ever had, proc(5): a short peak counts like a long one. */
function peakBytes(): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kib) * 1_024;
}

const collect = () => {
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  gc();
};

/** The least of several: the eye reads on meanwhile, and what a collection sets free may itself hold something. */
async function heldBytes(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 6; turn++) {
    collect();
    least = Math.min(least, process.memoryUsage.rss());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return least;
}

/** Look at the items of the present program one after the other, for ever. */
async function look(content: Content, program: () => Program | null): Promise<never> {
  for (let turn = 0; ; turn++) {
    const items = program()?.items ?? [];
    const item = items[turn % Math.max(1, items.length)];
    const hash = item?.source?.replace('player://media/', '') ?? '';
    const actual = item === undefined ? null : await digestOnDisplay(content, hash);
    say({ event: 'eye', itemId: item?.itemId ?? null, hash, actual });
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

async function play(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), {});
  makeStateFolder(settings.state.directory);
  const log = createLog((line) => process.stdout.write(`${line}\n`), 'info', Date.now);
  log.info('player-started', { version: 'headless' });
  let present: Snapshot | null = null;
  let told = '';
  const publish = (snapshot: Snapshot) => {
    present = snapshot;
    const pin = snapshot.state === 'registering' ? snapshot.registration?.pin : undefined;
    const words = JSON.stringify([snapshot.state, snapshot.notice?.code ?? null, pin]);
    if (words !== told) say({ event: 'screen', state: snapshot.state, notice: snapshot.notice?.code ?? null, pin });
    told = words;
  };
  const { language, theme } = settings.display;
  const facts = createFactBook(
    {
      hostname: settings.identity.hostname,
      playerVersion: 'headless',
      keyProtection: 'none',
      claimUrl: `${settings.server.origin}/claim`,
      fingerprint: null,
      registration: null,
      program: null,
      identityProblem: null,
      rotationAsked: 0,
      look: { language, theme, rotation: 0 },
      sound: { volume: 0, muted: true },
    },
    settings.policy,
    Date.now,
    publish,
  );
  setInterval(facts.refresh, 1_000);
  const registration = await loadRegistration(registrationFile(settings.state.directory), log);
  const content = await openContent(settings, facts, log);
  facts.update({ registration });
  const program = () => (present?.state === 'playing' ? present.program : null);
  setInterval(() => say({ event: 'vitals', peakBytes: peakBytes() }), 250);
  process.on('SIGUSR2', () => void heldBytes().then((bytes) => say({ event: 'held', bytes })));
  void look(content, program);
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort(new Error('asked to end')));
  const parts = { settings, playerVersion: '0.0.0', initial: registration, facts, content, log };
  await live({ ...parts, forgetContent: content.forget }, stop.signal).catch((thrown: unknown) => {
    if (!stop.signal.aborted) throw thrown;
  });
  process.exit(0);
}

play().catch((thrown: unknown) => {
  const { code, message, stack } = asPlayerError(thrown);
  process.stderr.write(`${code}: ${message}\n${stack}\n`);
  process.exit(70);
});
