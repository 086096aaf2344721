import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { splitPem } from '../certificate/check.ts';
import { certificateFingerprint, judgeRoots } from '../certificate/roots.ts';
import { PlayerError } from '../errors.ts';
import type { Journal } from '../journal.ts';
import type { Log } from '../log.ts';
import { assertTrusted } from '../mtls/connector.ts';
import { readPrivateFile, removeFile, writePrivateFile } from '../private-file.ts';
import type { Settings } from '../settings.ts';
import { oneAtATime } from './waiting.ts';

/** The authorities that are trusted: pinned by the settings, and announced by the server before it uses them. */
export interface Anchors {
  /** PEM bundle for judging device certificates. */
  bundle(): string;
  /** PEM, those that the settings do not pin. */
  announced(): readonly string[];
  /**
   * What the server announces takes the place of what it has announced before. Calls wait for each other.
   * A root is withdrawn only where the server can be reached without it: else no later list could be heard.
   * @param holds whether the present certificate still holds with these anchors; if not, nothing changes
   */
  announce(roots: readonly string[], holds: (bundle: string) => boolean): Promise<void>;
}

export function announcedRootsFile({ state }: Pick<Settings, 'state'>): string {
  return join(state.directory, 'announced-roots.pem');
}

/** Read a PEM file that the settings name. @throws PlayerError SETTINGS_INVALID naming key and file */
export async function readNamed(key: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new PlayerError('SETTINGS_INVALID', `${key}: ${file}: ${reason}`, cause);
  }
}

/** @throws PlayerError SETTINGS_INVALID, STATE_UNWRITABLE */
export async function openAnchors(settings: Settings, journal: Journal, log: Log): Promise<Anchors> {
  const pinned = await readNamed('identity.deviceCaFile', settings.identity.deviceCaFile);
  const file = announcedRootsFile(settings);
  // Judged when they came. Not by the clock here: a wrong one at boot must not make the player forget them.
  let announced = splitPem((await readPrivateFile(file))?.toString('utf8') ?? '').filter(isCertificate);
  const bundleOf = (roots: readonly string[]) => [pinned, ...roots].join('\n');
  const take: Anchors['announce'] = async (roots, holds) => {
    const taken = judgeRoots(roots, pinned, Date.now());
    if (taken === null || !holds(bundleOf(taken))) {
      log.warn('roots-refused', { count: roots.length });
      return;
    }
    const [before, after] = [announced, taken].map((list) => new Set(list.map(certificateFingerprint)));
    const added = [...(after ?? [])].filter((root) => !before?.has(root));
    const gone = [...(before ?? [])].filter((root) => !after?.has(root));
    if (added.length + gone.length === 0) return;
    if (gone.length > 0) {
      try {
        await assertTrusted(settings, taken);
      } catch (thrown) {
        log.failure('roots-refused', thrown, { count: roots.length });
        return;
      }
    }
    if (taken.length === 0) await removeFile(file);
    else await writePrivateFile(file, taken.join(''));
    announced = [...taken];
    log.info('roots-changed', { count: taken.length });
    for (const certificate of added) await journal.write('root-announced', { certificate });
    for (const certificate of gone) await journal.write('root-withdrawn', { certificate });
  };
  // Asked for on several occasions, a renewal among them; the file has room for one writer.
  const alone = oneAtATime();
  return {
    bundle: () => bundleOf(announced),
    announced: () => announced,
    announce: (roots, holds) => alone(() => take(roots, holds)),
  };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}
