import { statfs } from 'node:fs/promises';
import { networkInterfaces, release } from 'node:os';
import type { Overview, Snapshot } from '../ipc/contract.ts';
import { readJournal } from '../journal.ts';
import type { Settings } from '../settings.ts';
import type { FactBook } from './facts.ts';

/** Addresses that are shown: enough to find the device in the network. */
const mostAddresses = 3;

/** Addresses of this device, without loopback and link-local ones. */
export function ownAddresses(interfaces: ReturnType<typeof networkInterfaces>): readonly string[] {
  return Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address))
    .map(({ address }) => address)
    .slice(0, mostAddresses);
}

/** Titles of the item on the display and of the one after it, in the program's order. */
export function nowAndNext(
  snapshot: Snapshot,
  itemId: string | null,
): { readonly now: string | null; readonly next: string | null; readonly items: number } {
  const items = snapshot.state === 'playing' ? snapshot.program.items : [];
  const place = items.findIndex((item) => item.itemId === itemId);
  const title = (at: number) => items[at % items.length]?.title ?? null;
  if (place < 0) return { now: null, next: null, items: items.length };
  return { now: title(place), next: title(place + 1), items: items.length };
}

/** What an operator on site is told, after the PIN. No path, token, key or certificate is in it (SECURITY.md). */
export async function overviewOf(
  settings: Settings,
  facts: Pick<FactBook, 'known'>,
  snapshot: Snapshot,
  itemId: string | null,
  startedAtMs: number,
): Promise<Overview> {
  const { fingerprint, hardware, certificateUntilMs, playlistVersion, lastAnswerAtMs, tpm, storeBytes } = facts.known();
  // Here and not above: loading the addon must not hold up the first picture.
  const { opensslVersion } = await import('node-tss');
  const disk = await statfs(settings.state.directory).catch(() => null);
  const [latest] = await readJournal(settings.state.directory, 1);
  return {
    state: snapshot.state,
    startedAtMs,
    fault: snapshot.state === 'trouble' ? snapshot.trouble : snapshot.notice,
    fingerprint: fingerprint?.slice(0, 16) ?? null,
    keyProtection: snapshot.keyProtection,
    hardware,
    certificateUntilMs,
    identityEvent: latest === undefined ? null : { event: latest.event, atMs: Date.parse(latest.time) },
    tpm,
    ...nowAndNext(snapshot, itemId),
    playlistVersion,
    server: new URL(settings.server.origin).host,
    lastAnswerAtMs,
    addresses: ownAddresses(networkInterfaces()),
    storeBytes,
    budgetBytes: settings.store.budgetBytes,
    freeBytes: disk === null ? null : disk.bavail * disk.bsize,
    versions: {
      player: snapshot.playerVersion,
      electron: process.versions.electron ?? '',
      chromium: process.versions['chrome'] ?? '',
      openssl: opensslVersion(),
      system: `Linux ${release()}`,
    },
  };
}
