/** Opens state folders as the player does at its start and says what would be on the display, byte for byte. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { openContent } from '../../../electron/assembly/content.ts';
import type { FactBook } from '../../../electron/assembly/facts.ts';
import { asPlayerError } from '../../../electron/errors.ts';
import type { Program } from '../../../electron/ipc/contract.ts';
import { createLog } from '../../../electron/log.ts';
import { loadRegistration, registrationFile } from '../../../electron/registration/state-file.ts';
import { parseSettings } from '../../../electron/settings.ts';

export interface Inspection {
  readonly directory: string;
  /** A fault that would have ended the player. */
  readonly fault?: string;
  readonly registration?: string;
  readonly events?: readonly string[];
  /** Items in playing order: what their bytes should be, and are; `null` where the store refuses them. */
  readonly items?: readonly {
    readonly itemId: string;
    readonly hash: string;
    readonly actual: string | null;
    /** All that the page is told of it, as JSON. */
    readonly told: string;
  }[];
}

async function inspect(directory: string, text: string): Promise<Inspection> {
  const events: string[] = [];
  const log = createLog((line) => events.push(JSON.parse(line).event), 'warn', Date.now);
  let program: Program | null = null;
  const facts: FactBook = {
    update: (change) => {
      if (change.program !== undefined) program = change.program;
    },
    problem: () => undefined,
    refresh: () => undefined,
    note: () => undefined,
    known: () => {
      throw new Error('no operator is here to ask');
    },
  };
  try {
    const settings = parseSettings('settings.json', text, {});
    const registration = await loadRegistration(registrationFile(directory), log);
    const content = await openContent(settings, facts, log);
    const items = [];
    for (const item of (program as Program | null)?.items ?? []) {
      const { itemId, source } = item;
      const hash = source?.replace('player://media/', '') ?? '';
      const media = content.locate(hash);
      const digest = createHash('sha256');
      let actual: string | null = null;
      try {
        if (media !== null)
          for await (const bytes of content.read(media.hash, 0, media.sizeBytes - 1)) digest.update(bytes);
        actual = media === null ? null : digest.digest('hex');
      } catch {
        // The store refuses to show it.
      }
      items.push({ itemId, hash, actual, told: JSON.stringify(item) });
    }
    return { directory, registration: registration.state, events, items };
  } catch (thrown) {
    const { code, message } = asPlayerError(thrown);
    return { directory, fault: `${code}: ${message}`, events };
  }
}

const [settingsFile = '', ...directories] = process.argv.slice(2);
const settings = JSON.parse(readFileSync(settingsFile, 'utf8'));
for (const directory of directories) {
  const inspection = await inspect(directory, JSON.stringify({ ...settings, state: { directory } }));
  process.stdout.write(`${JSON.stringify(inspection)}\n`);
}
process.exit(0);
